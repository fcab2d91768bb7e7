"""The Suricata rule language: one writer, one reader, one evaluator."""
