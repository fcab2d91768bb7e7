"""One suite over every registered mechanism; joining the registry is all that a new one needs."""
