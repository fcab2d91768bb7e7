"""What the hosts' TTLs and addresses really are: lookups, samples, pools, verdicts."""
