"""`python -m hostgate` is the command line."""

from hostgate.cli.main import main

main()
