"""Review: what a change of plans opens and closes, guards, the comment, the pin."""
