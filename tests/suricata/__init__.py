"""Suricata rule text: what the engine reads, and what is said to be unread."""
