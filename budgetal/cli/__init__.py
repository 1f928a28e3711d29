"""The `budgetal` command."""

from budgetal.cli import certify, classes, compare, info, plan, projects, review, runs, serve, stream, synthesise, work
from budgetal.cli.app import app, exit_code, main

__all__ = [
    "app",
    "certify",
    "classes",
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
