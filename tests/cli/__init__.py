"""The command line and the stack config, as people and tools use them."""
