"""The hosts for software outside the clouds, as files that it reads."""
