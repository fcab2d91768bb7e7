"""The same questions asked of real software: what it does to packets has to be what the plan says."""
