"""`python -m budgetal` is the `budgetal` command."""

from budgetal.cli import main

main()
