// Egress rules of a team that has no firewall policies yet, on three clouds.
package main

import (
	"example.com/hostgate-aws/hostgateaws"
	"example.com/hostgate-azure/hostgateazure"
	"example.com/hostgate-gcp/hostgategcp"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		catalogs := []string{"chainguard/images@2026-02-23", "../ours.yaml"}

		rules, err := hostgateaws.NewNetworkFirewallAllowlist(ctx, "vendors", &hostgateaws.NetworkFirewallAllowlistArgs{
			Catalogs: catalogs,
			Phases:   []hostgateaws.Phase{hostgateaws.PhasePull, hostgateaws.PhaseBuild},
			HomeNet:  []string{"10.0.0.0/8"},
			Accept: []hostgateaws.AcceptanceArgs{{
				Finding: "shared-hosting",
				Entry:   pulumi.StringRef("base-images"),
				Because: "Reviewed by the platform team",
			}},
		})
		if err != nil {
			return err
		}

		// Put your own VPC network here: it must be there, and have no other global firewall policy.
		shared, err := hostgategcp.NewFirewallPolicyAllowlist(ctx, "vendors", &hostgategcp.FirewallPolicyAllowlistArgs{
			Catalogs: catalogs,
			Phases:   []hostgategcp.Phase{hostgategcp.PhasePull, hostgategcp.PhaseBuild},
			Networks: pulumi.StringArray{pulumi.String("projects/acme-prod/global/networks/prod")},
			From:     pulumi.StringArray{pulumi.String("builds@acme-prod.iam.gserviceaccount.com")},
		})
		if err != nil {
			return err
		}

		// And your own resource group.
		hosts, err := hostgateazure.NewFirewallPolicyAllowlist(ctx, "vendors", &hostgateazure.FirewallPolicyAllowlistArgs{
			Catalogs:      catalogs,
			ResourceGroup: pulumi.String("rg-hub"),
			From:          []pulumi.StringInput{pulumi.String("10.20.0.0/16")},
		})
		if err != nil {
			return err
		}

		ctx.Export("policy", rules.PolicyArn)
		ctx.Export("digests", pulumi.StringArray{rules.Digest, shared.Digest, hosts.Digest})
		return nil
	})
}
