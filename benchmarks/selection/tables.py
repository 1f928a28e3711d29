"""Markdown tables from the results of selection_speed.py; the page and the terminal show the same."""

from collections.abc import Iterable, Mapping
from typing import Any

Results = Mapping[str, Any]

# Issue 3: times as fast as scikit-activeml at 20,000 × 128, and seconds at 1,000,000 × 512.
GOAL_RATIO = {"core_set": 20, "badge": 100, "typiclust": 20, "prob_cover": 20, "margin": 3, "entropy": 3}
GOAL_SECONDS = {
    "margin": 1,
    "entropy": 1,
    "information_density": 2,
    "informative": 120,
    "core_set": 60,
    "badge": 120,
    "typiclust": 180,
}
GOAL_PEER = "scikit-activeml"
MILLION = {"n": 1_000_000, "d": 512}


def machine_line(results: Results) -> str:
    """What was measured on, in one sentence each for the machine and the size."""
    machine, size = results["machine"], results["size"]
    bf16 = f", {machine['bf16_gflop_per_s']:,.0f} in bfloat16" if "bf16_gflop_per_s" in machine else ""
    return (
        f"{size['n']:,} × {size['d']}, {size['classes']} classes, batch {size['batch']:,}, "
        f"{size['labelled']:,} labelled, noise {size['noise']}. "
        f"Machine: {machine['device']}, {machine['cores']} cores, {machine['threads']} threads, "
        f"{machine['memory_gib']} GiB; reads {machine['read_gb_per_s']:,.0f} GB/s, multiplies matrices at "
        f"{machine['fp32_gflop_per_s']:,.0f} GFLOP/s in float32{bf16}. torch {machine['torch']}."
    )


def speed_table(results: Results) -> str:
    """Each strategy's seconds and memory beside what the machine's limits allow."""
    head = ("strategy", "seconds", "MiB more", "GB", "GFLOP", "limit s", "set by", "limit / seconds")
    with_goals = all(results["size"][name] == value for name, value in MILLION.items())
    head = (*head, "goal s") if with_goals else head
    rows = (row for outcome in results["strategies"] for row in _speed_rows(outcome, with_goals))
    return table(head, rows)


def _speed_rows(outcome: Results, with_goals: bool) -> list[tuple[str, ...]]:
    name = outcome["name"]
    goal = (seconds_text(GOAL_SECONDS.get(name)),) if with_goals else ()
    first = (f"`{name}`", _time(outcome), number(outcome.get("extra_mib")))
    rows = []
    for place, work in enumerate(outcome["work"]):
        lead = first if place == 0 else ("", "", "")
        rows.append((*lead, *_work_cells(work, outcome.get("seconds")), *(goal if place == 0 else ("",) * len(goal))))
    return rows


def _work_cells(work: Results, seconds: float | None) -> tuple[str, ...]:
    how = f", {work['how']}" if work["how"] else ""
    share = f"{work['bound_s'] / seconds:.2g}" if seconds else ""
    return (number(work["gb"]), number(work["gflop"]), seconds_text(work["bound_s"]), work["bound_by"] + how, share)


def peer_table(results: Results) -> str:
    """Each peer's seconds beside ours on the same data."""
    head = (
        "strategy",
        "seconds",
        "MiB more",
        "peer",
        "its seconds",
        "its MiB more",
        "times as fast",
        "goal",
        "same picks",
    )
    ours = {outcome["name"]: outcome for outcome in results["strategies"]}
    return table(head, (_peer_row(ours[peer["strategy"]], peer) for peer in results["peers"]))


def _peer_row(ours: Results, peer: Results) -> tuple[str, ...]:
    goal = GOAL_RATIO.get(peer["strategy"]) if peer["library"] == GOAL_PEER else None
    same = f"{peer['same_share']:.1%} of {peer['compared']}" if "same_share" in peer else ""
    return (
        f"`{peer['strategy']}`",
        _time(ours),
        number(ours.get("extra_mib")),
        f"{peer['library']} `{peer['call']}`",
        _time(peer),
        number(peer.get("extra_mib")),
        ratio_text(peer),
        f"{goal}" if goal else "",
        same,
    )


def ratio_text(peer: Results) -> str:
    if "ratio" not in peer:
        return ""
    return ("> " if "over_s" in peer else "") + f"{peer['ratio']:,.3g}"


def _time(outcome: Results) -> str:
    if "over_s" in outcome:
        return f"over {outcome['over_s']:g}"
    if "skipped" in outcome:
        return f"not run: {outcome['skipped']}"
    return f"failed: {outcome['error']}" if "error" in outcome else seconds_text(outcome["seconds"])


def seconds_text(value: float | None) -> str:
    return "" if value is None else f"{value:,.3g}" if value < 1000 else f"{value:,.0f}"


def number(value: float | None) -> str:
    return "" if value is None else f"{value:,.3g}" if value < 100 else f"{value:,.0f}"


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
