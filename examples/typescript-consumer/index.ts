// Egress rules of a team that has no firewall policies yet, on three clouds.
import * as pulumi from "@pulumi/pulumi";
import { NetworkFirewallAllowlist } from "@pulumi/hostgate-aws";
import { FirewallPolicyAllowlist as AzureAllowlist } from "@pulumi/hostgate-azure";
import { FirewallPolicyAllowlist as GoogleAllowlist } from "@pulumi/hostgate-gcp";

const catalogs = ["chainguard/images@2026-02-23", "../ours.yaml"];

const rules = new NetworkFirewallAllowlist("vendors", {
    catalogs,
    phases: ["pull", "build"],
    homeNet: ["10.0.0.0/8"],
    accept: [{ finding: "shared-hosting", entry: "base-images", because: "Reviewed by the platform team" }],
});

// Put your own VPC network here: it must be there, and have no other global firewall policy.
const shared = new GoogleAllowlist("vendors", {
    catalogs,
    phases: ["pull", "build"],
    networks: ["projects/acme-prod/global/networks/prod"],
    from: ["builds@acme-prod.iam.gserviceaccount.com"],
});

// And your own resource group.
const hosts = new AzureAllowlist("vendors", {
    catalogs,
    resourceGroup: "rg-hub",
    from: ["10.20.0.0/16"],
});

export const policy = rules.policyArn;
export const priorities = rules.references.apply((references) => references.map((each) => each.priority));
export const digests = pulumi.all([rules.digest, shared.digest, hosts.digest]);
