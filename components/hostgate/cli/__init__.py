"""The command line: thin commands over the package. Results on stdout, progress and warnings on stderr."""
