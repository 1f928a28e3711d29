"""The `budgetal` command."""

from budgetal.cli import certify, compare, info, plan, projects, review, runs, serve, stream, synthesise, work
from budgetal.cli.app import app, exit_code, main

__all__ = [
    "app",
    "certify",
    "compare",
    "exit_code",
    "info",
    "main",
    "plan",
    "projects",
    "review",
    "runs",
    "serve",
    "stream",
    "synthesise",
    "work",
]
