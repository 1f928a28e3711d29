"""Fifty simulated people label through `budgetal serve`, while the learner trains and while there is none.

Example:
    python benchmarks/annotators.py --json > annotators.json

Fails when an image was in two people's hands, or an acknowledged answer is not in the journal. Leave the machine
alone meanwhile: on one that is busy with other work the latencies are those of that work.
"""

import argparse
import asyncio
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil
from crowd.checks import handed_out_twice, lost, tokens_of_two
from crowd.people import Log, Person

from budgetal.project import Project
from budgetal.store.events import Event
from budgetal.web.secret import installation_secret
from budgetal.web.sessions import Sessions

LEASE_S = 2.0
WARM_UP_S = 10.0
WRONG = ("lost", "handed_out_twice", "tokens_of_two")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=90)
    parser.add_argument("--images", default="digits")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    before = {"load_before": round(psutil.getloadavg()[0], 1), **machine()}
    with tempfile.TemporaryDirectory() as place:
        os.environ["XDG_STATE_HOME"] = place
        runs = {
            name: run(Path(place) / name, arguments.images, arguments.people, arguments.seconds, with_learner)
            for name, with_learner in (("without learner", False), ("with learner", True))
        }
    results = {"people": arguments.people, "seconds": arguments.seconds, "images": arguments.images, **before}
    results |= {"lease_s": LEASE_S, "runs": runs, "ratios": ratios(runs)}
    print(json.dumps(results, indent=1) if arguments.json else summary(results))
    sys.exit(any(one[key] for one in runs.values() for key in WRONG))


def run(folder: Path, images: str, n_people: int, seconds: float, with_learner: bool) -> dict[str, object]:
    """Let the crowd label one project, and check what came of it."""
    # Without a learner nobody asks for more than the first query. With one it trains on and on with what the first
    # query brought, while people go on with the audit, so that they have work all the time.
    first, audit = (100, 1400) if with_learner else (1500, 30)
    settings = {"budget": 1600, "audit": audit, "initial": first, "batch": 60, "finetune": "full", "epochs": 1000}
    project = Project.create(folder, images=images, **settings)
    project.ask()
    sessions = Sessions(folder, installation_secret(), project.logbook)
    tokens = {f"person {i}": sessions.token(f"person {i}") for i in range(n_people)}
    project.close()
    server, origin = serve(folder, with_learner)
    try:
        log = asyncio.run(crowd(origin, tokens, seconds))
    finally:
        server.terminate()
        server.wait(60)
    project = Project.open(folder)
    events = project.logbook.events()
    project.close()
    return report(log, events)


def serve(folder: Path, with_learner: bool) -> tuple[subprocess.Popen[str], str]:
    """`budgetal serve` as anybody starts it, and its address."""
    options = ["--port", "0", "--lease-s", str(LEASE_S), *([] if with_learner else ["--no-learner"])]
    command = [sys.executable, "-m", "budgetal", "serve", str(folder), *options]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    return server, re.match(r"Open (http://[^/]+)/", server.stdout.readline())[1]


async def crowd(origin: str, tokens: dict[str, str], seconds: float) -> Log:
    """Everybody labels at once."""
    log, over = Log(), asyncio.Event()
    async with AsyncExitStack() as stack:
        clients = {
            name: await stack.enter_async_context(
                httpx.AsyncClient(base_url=origin, headers={"authorization": f"Bearer {token}"}, timeout=60)
            )
            for name, token in tokens.items()
        }
        info = (await next(iter(clients.values())).get("/api/v1/project")).json()
        people = [Person(name, client, info["classes"], log, LEASE_S) for name, client in clients.items()]
        tasks = [asyncio.create_task(person.work(over)) for person in people]
        await asyncio.sleep(WARM_UP_S)
        for times in log.seconds.values():
            times.clear()
        await asyncio.sleep(seconds)
        over.set()
        await asyncio.gather(*tasks)
    return log


def report(log: Log, events: Sequence[Event]) -> dict[str, object]:
    """Latencies in milliseconds, what was done, and what went wrong."""
    kinds = Counter(event.kind for event in events)
    return {
        "latency_ms": {kind: percentiles(seconds) for kind, seconds in log.seconds.items() if seconds},
        "n_requests": {kind: len(seconds) for kind, seconds in log.seconds.items()},
        "statuses": {str(status): n for status, n in sorted(log.statuses.items())},
        "n_acknowledged": len(log.acknowledged),
        "n_rounds": kinds["round_ended"],
        "n_epochs": kinds["epoch_ended"],
        "lost": len(lost(log, events)),
        "handed_out_twice": len(handed_out_twice(log)),
        "tokens_of_two": len(tokens_of_two(log)),
    }


def percentiles(seconds: Sequence[float]) -> dict[str, float]:
    shares = {"p50": 50, "p95": 95, "p99": 99}
    return {name: round(1000 * float(np.percentile(seconds, share)), 1) for name, share in shares.items()}


def ratios(runs: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    """p95 with the learner over p95 without."""
    with_it, without = (runs[name]["latency_ms"] for name in ("with learner", "without learner"))
    return {kind: round(with_it[kind]["p95"] / without[kind]["p95"], 2) for kind in with_it if kind in without}


def machine() -> dict[str, object]:
    return {"cores": psutil.cpu_count(), "fsync_ms": fsync_ms()}


def fsync_ms(n: int = 200) -> float:
    """Median time in which a small write reaches the disk."""
    seconds = []
    with tempfile.TemporaryFile() as file:
        for _ in range(n):
            began_s = time.perf_counter()
            os.write(file.fileno(), b"0" * 4096)
            os.fsync(file.fileno())
            seconds.append(time.perf_counter() - began_s)
    return round(1000 * float(np.median(seconds)), 1)


def summary(results: Mapping[str, Any]) -> str:
    lines = [f"{results['people']} people, {results['cores']} cores, load before {results['load_before']}"]
    for name, one in results["runs"].items():
        times = ", ".join(f"{kind} p95 {ms['p95']} ms" for kind, ms in one["latency_ms"].items())
        wrong = ", ".join(f"{one[key]} {key.replace('_', ' ')}" for key in WRONG)
        done = f"{one['n_acknowledged']} answers acknowledged, {one['n_rounds']} rounds"
        lines.append(f"{name}: {times}; {done}; {wrong}")
    return "\n".join([*lines, f"with over without: {results['ratios']}"])


if __name__ == "__main__":
    main()
