"""The key figures at the top of the page."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from budgetal.annotators.no_guarantee import LABELLERS
from budgetal.report.numbers import count, duration, known, percent, percent_at_least, percent_at_most
from budgetal.report.sentences import certificate_issued

SIMULATED = "known here because the answers were simulated"


@dataclass(frozen=True)
class Tile:
    """A name, a figure and what it means."""

    name: str
    figure: str
    note: str


@dataclass(frozen=True)
class Share:
    """One part of the bar that shows who labelled what. percent: its width."""

    style: int
    name: str
    n: str
    percent: str


def key_figures(summary: Mapping[str, Any]) -> tuple[Tile, ...]:
    """Tiles for the figures that `summary` holds; those that are null are left out."""
    tiles = (
        _automatic(summary),
        _certified(summary),
        _people(summary),
        _accuracy(summary, "test_accuracy", "Test accuracy", "on images kept apart for testing"),
        _accuracy(summary, "auto_label_error_true", "True error of automatic labels", SIMULATED),
        _accuracy(summary, "dataset_accuracy_true", "All labels right", SIMULATED),
        _time(summary),
    )
    return tuple(tile for tile in tiles if tile is not None)


def label_shares(summary: Mapping[str, Any]) -> tuple[Share, ...]:
    """Parts of the collection by who labelled them, or nothing when that is not known."""
    counts = [summary.get(key) for key in ("n_human_labels", "n_auto_labels", "n_unlabelled")]
    total = sum(n or 0 for n in counts)
    names = ("By people", "Automatic", "Without a label")
    return tuple(
        Share(style, name, count(n), f"{100 * n / total:.3f}")
        for style, (name, n) in enumerate(zip(names, counts, strict=True), start=1)
        if n
    )


def _automatic(summary: Mapping[str, Any]) -> Tile | None:
    n, total = summary.get("n_auto_labels"), summary.get("n_samples")
    if n is None:
        return None
    note = f"{percent(n / total)} of all images" if total else "images"
    return Tile("Labelled automatically", count(n), note)


def _certified(summary: Mapping[str, Any]) -> Tile:
    if summary.get("auto_labeller") in LABELLERS:
        return Tile("Certified error", "none", "no guarantee: these labels are not certified")
    if not certificate_issued(summary):
        return Tile("Certified error", "none", "no automatic label is certified")
    certificate = summary["certificate"]
    risk = certificate.get("risk")
    of_all = certificate.get("upper_bound_of_all")
    of_what = "upper bound" if of_all is None else "upper bound on all labels"
    note = of_what if risk is None else f"{of_what}, {percent_at_least(1 - risk)} confidence"
    bound = certificate["upper_bound"] if of_all is None else of_all
    return Tile("Certified error", f"≤ {percent_at_most(bound)}", note)


def _people(summary: Mapping[str, Any]) -> Tile | None:
    n, budget, audit = (summary.get(key) for key in ("n_human_labels", "budget", "n_audit_labels"))
    if n is None:
        return None
    parts = [
        f"of {count(budget)} in the budget" if budget is not None else "",
        f"{count(audit)} for the audit" if audit is not None else "",
    ]
    return Tile("Labelled by people", count(n), ", ".join(part for part in parts if part))


def _accuracy(summary: Mapping[str, Any], key: str, name: str, note: str) -> Tile | None:
    share = summary.get(key)
    return Tile(name, percent(share), note) if known(share) else None


def _time(summary: Mapping[str, Any]) -> Tile | None:
    seconds, memory = summary.get("seconds_total"), summary.get("peak_memory_mb")
    if not known(seconds):
        return None
    note = f"{count(memory)} MB of memory at most" if known(memory) else "of computing"
    return Tile("Time", duration(seconds), note)
