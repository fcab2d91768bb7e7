"""Review: what a change of plans opens and closes, the guards over it, the comment about it, and the pin on it. Pure."""
