"""Fills the tables of docs/performance.md from the results that lie beside it.

Example:
    python benchmarks/performance_page.py            # write the tables
    python benchmarks/performance_page.py --measure  # measure first; leave the machine alone meanwhile

A region of the page begins with <!-- WHAT FILE --> and ends with <!-- end -->: WHAT is machine, speed, peers
or people,
FILE the name of a result in docs/results.
"""

import argparse
import json
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from crowd.tables import people_table
from selection.tables import Results, machine_line, peer_table, speed_table

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "performance.md"
RESULTS = ROOT / "docs" / "results"
REGION = re.compile(r"(<!-- (\w+) (selection-[\w-]+|annotators) -->\n).*?(<!-- end -->)", re.DOTALL)
RENDERERS: Mapping[str, Callable[[Results], str]] = {
    "machine": machine_line,
    "speed": speed_table,
    "peers": peer_table,
    "people": people_table,
}
MEASUREMENTS = {
    "selection-20000": "--n 20000 --d 128 --classes 10 --batch 500 --budget-s 300 --peers --json",
    "selection-1000000": "--n 1000000 --d 512 --classes 100 --batch 1000 --budget-s 300 --json",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--measure", action="store_true")
    if parser.parse_args().measure:
        for name, arguments in MEASUREMENTS.items():
            measure(name, arguments)
    PAGE.write_text(rendered(PAGE.read_text(encoding="utf-8"), RESULTS), encoding="utf-8")


def measure(name: str, arguments: str) -> None:
    """Write the result of one run; it is kept when a strategy failed, so that the page says so."""
    command = [sys.executable, str(ROOT / "benchmarks" / "selection_speed.py"), *arguments.split()]
    printed = subprocess.run(command, stdout=subprocess.PIPE, text=True).stdout
    json.loads(printed)
    (RESULTS / f"{name}.json").write_text(printed, encoding="utf-8")


def rendered(page: str, results: Path) -> str:
    """`page` with every region as its result says."""

    def fill(region: re.Match[str]) -> str:
        begin, what, name, end = region.groups()
        result = json.loads((results / f"{name}.json").read_text(encoding="utf-8"))
        return f"{begin}{RENDERERS[what](result)}\n{end}"

    return REGION.sub(fill, page)


if __name__ == "__main__":
    main()
