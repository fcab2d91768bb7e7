"""AWS Network Firewall rules replayed through Suricata, the engine that the service runs."""
