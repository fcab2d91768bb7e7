"""Simulated clouds, and the preview that runs a Pulumi project against them without the pulumi CLI."""
