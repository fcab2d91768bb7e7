"""Planning and each mechanism's own rules."""
