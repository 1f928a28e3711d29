"""The command line: parse, call one method, print. Exit 0, 2 for bad input in one clear line, 1 for failure."""

import errno
import logging
import sys
from collections.abc import Sequence
from typing import Any

import typer
from pydantic import ValidationError
from rich.console import Console

from budgetal.errors import BudgetalError, InputError

app = typer.Typer(
    name="budgetal",
    help="Label a large image collection on a small human budget, and know how good the labels are.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
progress_console = Console(stderr=True)

# typer bundles its own click; of the base of all usage errors it exports only a subclass.
UsageError: type[Exception] = typer.BadParameter.__mro__[1]

BAD_INPUT, FAILURE, INTERRUPTED = 2, 1, 130
GO_ON = "Interrupted. Nothing is lost: run the same command again to go on."
PLACE_PROBLEMS = (PermissionError, NotADirectoryError, IsADirectoryError, FileExistsError, FileNotFoundError)
FULL_DISK = (errno.ENOSPC, errno.EDQUOT)


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point of the `budgetal` command."""
    logging.basicConfig(level=logging.WARNING, format="budgetal: %(message)s")
    sys.exit(exit_code(arguments))


def exit_code(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; errors are one line on stderr."""
    try:
        result = typer.main.get_command(app).main(
            args=None if arguments is None else list(arguments), prog_name="budgetal", standalone_mode=False
        )
        # typer turns Ctrl-C into this exit code, and says nothing.
        return _complain(GO_ON, INTERRUPTED) if result == INTERRUPTED else int(result or 0)
    except InputError as error:
        return _complain(str(error), BAD_INPUT)
    except UsageError as error:
        return _complain(_with_hint(error), BAD_INPUT)
    except (KeyboardInterrupt, typer.Abort):
        return _complain(GO_ON, INTERRUPTED)
    except BudgetalError as error:
        return _complain(str(error), BAD_INPUT if _disk_is_full(error) else FAILURE)
    except OSError as error:
        if isinstance(error, PLACE_PROBLEMS):
            return _complain(f"Cannot use {error.filename}: {error.strerror}", BAD_INPUT)
        if not _disk_is_full(error):
            raise
        return _complain(f"The disk is full ({error.filename or 'while writing'}): free some space", BAD_INPUT)


def _with_hint(error: Any) -> str:
    command = error.ctx.command_path if error.ctx else "budgetal"
    said = error.format_message()
    if isinstance(error.__cause__, ValidationError):
        # What pydantic puts before the words of other people's checks.
        said = said.replace("Value error, ", "")
        # Of a number that is none, typer says what was expected and not what was given.
        given = repr(error.__cause__.errors()[0]["input"])
        said += "" if given in said else f": {given}"
    return f"{said} (`{command} --help` shows what can be said)"


def _disk_is_full(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, OSError) and error.errno in FULL_DISK:
            return True
        error = error.__cause__ or error.__context__
    return False


def _complain(message: str, code: int) -> int:
    if message:
        sys.stderr.write(f"budgetal: {' '.join(message.split())}\n")
    return code
