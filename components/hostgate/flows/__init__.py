"""Flows, verdicts, and what stands: the words in which every cloud's evaluation is said."""
