"""A survey as a report for people: Markdown, or one HTML page that needs nothing else."""
