"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

ProjectFolder = Annotated[Path, typer.Argument(help="The project's folder.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout and nothing else.")]
Budget = Annotated[int, typer.Option(help="Human labels in all, the audit included.")]
Gold = Annotated[
    Path | None, typer.Option(help="CSV or Parquet of images with a known truth (path, label), to test people with.")
]
Seed = Annotated[int, typer.Option(help="Same seed, same labels, same curve.")]
