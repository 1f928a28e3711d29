"""Finds and runs the code blocks of a Markdown page, in order and in one namespace, as a reader would."""

import doctest
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from budgetal.cli import exit_code

FILE_NAME = re.compile(r"# ([\w-]+\.toml)\n")
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """One fenced block. line: where its content begins in the page, from 1."""

    language: str
    content: str
    line: int


def blocks_of(page: Path) -> list[Block]:
    """The fenced blocks of a page that name a language."""
    text = page.read_text(encoding="utf-8")
    return [Block(m[1], m[2], text.count("\n", 0, m.start(2)) + 1) for m in FENCE.finditer(text)]


def commands_of(block: Block) -> list[list[str]]:
    """The arguments of each `budgetal` command in a bash or console block."""
    lines = [line.removeprefix("$ ") for line in block.content.replace("\\\n", " ").splitlines()]
    return [shlex.split(line, comments=True)[1:] for line in lines if line.startswith("budgetal ")]


def run_page(page: Path) -> int:
    """Run every Python block and every `budgetal` command; return how many ran. Raises AssertionError.

    A TOML block that begins with a file's name in a comment becomes that file.
    """
    namespace: dict[str, object] = {"__name__": "__docs__"}
    n_run = 0
    for block in blocks_of(page):
        if block.language == "python":
            run_python(page, block, namespace)
            n_run += 1
        elif block.language == "toml" and (named := FILE_NAME.match(block.content)):
            Path(named[1]).write_text(block.content, encoding="utf-8")
        elif block.language in ("bash", "console"):
            for arguments in commands_of(block):
                code = exit_code(arguments)
                assert code == 0, f"{page.name}: `budgetal {shlex.join(arguments)}` ended with {code}"
                n_run += 1
    return n_run


def run_python(page: Path, block: Block, namespace: dict[str, object]) -> None:
    """Run a block: compared with its shown output when it has prompts."""
    if ">>> " not in block.content:
        # Blank lines in front, so that a traceback names the page's line.
        exec(compile("\n" * (block.line - 1) + block.content, str(page), "exec"), namespace)
        return
    test = doctest.DocTestParser().get_doctest(block.content, namespace, page.name, str(page), block.line - 1)
    report: list[str] = []
    failed = doctest.DocTestRunner().run(test, out=report.append, clear_globs=False).failed
    # The runner works on a copy of the namespace; what it defined is there for the next block.
    namespace.update(test.globs)
    assert not failed, "".join(report)
