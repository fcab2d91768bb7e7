"""Policies: rules over the contents of egress resources, whoever made them. Only `pack` knows the policy SDK."""
