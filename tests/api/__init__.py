"""The bodies of every golden plan against what each cloud publishes of its API, offline."""
