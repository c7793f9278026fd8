"""Lets `python -m sre_cli` do what `sre` does."""

from sre_cli.main import main

main()
