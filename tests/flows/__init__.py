"""The host catalog: reading, history, lint, selection."""
