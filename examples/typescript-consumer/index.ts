// Egress rules of a team that has no firewall policy on AWS yet, a shared one on Google Cloud, and none on Azure.
import * as pulumi from "@pulumi/pulumi";
import { NetworkFirewallAllowlist } from "@pulumi/hostgate-aws";
import { FirewallPolicyAllowlist as AzureAllowlist } from "@pulumi/hostgate-azure";
import { FirewallPolicyAllowlist as GoogleAllowlist } from "@pulumi/hostgate-gcp";

const catalogs = ["chainguard/images@2026-02-23", "../ours.yaml"];

const rules = new NetworkFirewallAllowlist("vendors", {
    catalogs,
    phases: ["pull", "build"],
    base: 500,
    homeNet: ["10.0.0.0/8"],
});

// Closed by the policy itself: it is associated with the network, and behind these rules it denies 0.0.0.0/0 and ::/0.
const shared = new GoogleAllowlist("vendors", {
    catalogs,
    phases: ["pull", "build"],
    attach: "projects/acme-prod/global/firewallPolicies/egress",
    deny: "declared",
    from: ["builds@acme-prod.iam.gserviceaccount.com"],
});

const hosts = new AzureAllowlist("vendors", {
    catalogs,
    resourceGroup: "rg-hub",
    from: ["10.20.0.0/16"],
});

export const policy = rules.policyArn;
export const priorities = rules.references.apply((references) => references.map((each) => each.priority));
export const digests = pulumi.all([rules.digest, shared.digest, hosts.digest]);
