"""The `budgetal` command."""

from budgetal.cli import info, projects, runs
from budgetal.cli.app import app, exit_code, main

__all__ = ["app", "exit_code", "info", "main", "projects", "runs"]
