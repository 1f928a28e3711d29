"""The `budgetal` command."""

from budgetal.cli import (
    certify,
    classes,
    compare,
    gold,
    info,
    plan,
    projects,
    review,
    runs,
    serve,
    stream,
    synthesise,
    work,
)
from budgetal.cli.app import app, exit_code, main

__all__ = [
    "app",
    "certify",
    "classes",
    "compare",
    "exit_code",
    "gold",
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
