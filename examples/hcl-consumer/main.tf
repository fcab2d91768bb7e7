# Egress rules of a team that has no firewall policies yet, on three clouds.
terraform {
  required_providers {
    hostgate-aws   = { source = "pulumi/hostgate-aws" }
    hostgate-gcp   = { source = "pulumi/hostgate-gcp" }
    hostgate-azure = { source = "pulumi/hostgate-azure" }
  }
}

locals {
  catalogs = ["chainguard/images@2026-02-23", "../ours.yaml"]
}

resource "hostgate-aws_network_firewall_allowlist" "vendors" {
  catalogs = local.catalogs
  phases   = ["pull", "build"]
  home_net = ["10.0.0.0/8"]
  accept {
    finding = "shared-hosting"
    entry   = "base-images"
    because = "Reviewed by the platform team"
  }
}

# Put your own VPC network here: it must be there, and have no other global firewall policy.
resource "hostgate-gcp_firewall_policy_allowlist" "vendors" {
  catalogs = local.catalogs
  phases   = ["pull", "build"]
  networks = ["projects/acme-prod/global/networks/prod"]
  from     = ["builds@acme-prod.iam.gserviceaccount.com"]
}

# And your own resource group.
resource "hostgate-azure_firewall_policy_allowlist" "vendors" {
  catalogs       = local.catalogs
  resource_group = "rg-hub"
  from           = ["10.20.0.0/16"]
}

output "policy" {
  value = hostgate-aws_network_firewall_allowlist.vendors.policy_arn
}

output "digests" {
  value = [
    hostgate-aws_network_firewall_allowlist.vendors.digest,
    hostgate-gcp_firewall_policy_allowlist.vendors.digest,
    hostgate-azure_firewall_policy_allowlist.vendors.digest,
  ]
}
