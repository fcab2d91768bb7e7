"""What AWS does with flows and queries, on what stands."""
