"""Limits of AWS Network Firewall that plans, rows of resource types and policies share."""

from hostgate.planning.limits import Limit

QUOTAS = "AWS Network Firewall developer guide, quotas"
READ_ON = "2026-11-23"

GROUP_CAPACITY = Limit("capacity of a rule group", 30_000, "capacity units", QUOTAS, READ_ON)
POLICY_CAPACITY = Limit("stateful capacity of a policy", 30_000, "capacity units", QUOTAS, READ_ON)
POLICY_GROUPS = Limit("stateful rule groups of a policy", 20, "rule groups", QUOTAS, READ_ON)
GROUP_BYTES = Limit("rules of a rule group", 2_000_000, "bytes", QUOTAS, READ_ON)
RULE_LENGTH = Limit(
    "one rule",
    8_175,
    "characters",
    "8,192 less a 16-character gid that the service adds; measured on the service",
    READ_ON,
)
IP_SET_REFERENCES = Limit("IP set references of a rule group", 5, "references", QUOTAS, READ_ON)
LIMITS = (GROUP_CAPACITY, POLICY_CAPACITY, POLICY_GROUPS, GROUP_BYTES, RULE_LENGTH, IP_SET_REFERENCES)
