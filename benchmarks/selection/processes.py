"""Runs one measurement after another, each in a fresh process, and reads what it printed."""

import json
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

BENCHMARKS = Path(__file__).parents[1]

Outcome = dict[str, object]


@dataclass(frozen=True)
class Runner:
    """How often, how long and where each call is measured."""

    folder: Path
    repeats: int
    budget_s: float
    device: str

    def measure(self, who: str, strategy: str) -> Outcome:
        """Seconds, runs and extra_mib; or over_s, the budget that was not enough; or error."""
        options = {"--repeats": self.repeats, "--budget-s": self.budget_s, "--device": self.device}
        arguments = [str(part) for option in options.items() for part in option]
        print(f"{who}: {strategy}", file=sys.stderr, flush=True)
        ended = module("selection.measure", str(self.folder), who, strategy, *arguments)
        if ended.returncode == -signal.SIGALRM:
            return {"over_s": self.budget_s}
        return last_line(ended)


def machine(device: str) -> Outcome:
    """The machine and its measured limits."""
    found = last_line(module("selection.limits", "--device", device))
    if "error" in found:
        raise RuntimeError(f"The machine's limits could not be measured: {found['error']}")
    return found


def fastest(one: Outcome, other: Outcome) -> Outcome:
    """The better of each measured limit: a limit is what the machine does when nobody disturbs it."""
    return {name: max(value, other[name]) if "_per_s" in name else value for name, value in one.items()}


def module(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", name, *arguments]
    return subprocess.run(command, cwd=BENCHMARKS, capture_output=True, text=True)


def last_line(ended: subprocess.CompletedProcess[str]) -> Outcome:
    """What the process printed last, as JSON; its last words where it failed."""
    if ended.returncode != 0:
        words = ended.stderr.strip().splitlines() or [f"ended with {ended.returncode}"]
        return {"error": words[-1]}
    outcome: Outcome = json.loads(ended.stdout.splitlines()[-1])
    return outcome
