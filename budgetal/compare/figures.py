"""The figures of a comparison: what its finished runs say, as one record that tables, charts and page are made from."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from budgetal.compare.curves import Band, Curve, Floats, area, band, common_budgets
from budgetal.compare.penalty import penalty_matrix
from budgetal.compare.plan import Arm, Comparison, Run

METRICS = {
    "accuracy": "true accuracy of all labels",
    "coverage": "labelled by people or automatically",
    "test_accuracy": "accuracy on test images",
}
"""What curves are drawn of: the field of a round, and its name."""
Result = Mapping[str, Any]


@dataclass(frozen=True)
class Finished:
    """The results of a comparison's finished runs."""

    comparison: Comparison
    results: Mapping[Run, Result]

    def of(self, collection: str, arm: Arm) -> dict[int, Result]:
        """By seed."""
        return {
            run.seed: result for run, result in self.results.items() if run.collection == collection and run.arm is arm
        }

    def curves(self, collection: str, arm: Arm, metric: str) -> dict[int, Curve]:
        """By seed, of runs that measured it."""
        found = {seed: _curve(result, metric) for seed, result in self.of(collection, arm).items()}
        return {seed: curve for seed, curve in found.items() if curve is not None}


def read_finished(comparison: Comparison, results: Mapping[Run, Path]) -> Finished:
    """Read every result that is there. results: the file of each run."""
    found = {run: path for run, path in results.items() if path.exists()}
    return Finished(comparison, {run: json.loads(path.read_text(encoding="utf-8")) for run, path in found.items()})


def _curve(result: Result, metric: str) -> Curve | None:
    points = {record["n_human"]: record[metric] for record in result["rounds"] if record[metric] is not None}
    if not points:
        return None
    n_human = sorted(points)
    return Curve(np.array(n_human, dtype=np.float64), np.array([points[n] for n in n_human], dtype=np.float64))


def figures(finished: Finished) -> dict[str, Any]:
    """Everything, as JSON has it. By collection, for each arm; the penalty matrix over all collections."""
    comparison = finished.comparison
    by_collection = {name: _of_collection(finished, name) for name in comparison.collections}
    return {
        "name": comparison.name,
        "seeds": list(comparison.seeds),
        "n_runs": len(comparison.runs()),
        "n_finished": len(finished.results),
        "targets": list(comparison.targets),
        "baseline": comparison.baseline,
        "metrics": METRICS,
        "arms": [{"name": arm.name, "values": arm.values, "settings": arm.settings} for arm in comparison.arms],
        "collections": by_collection,
        "penalty": _penalty(comparison, by_collection),
    }


def _of_collection(finished: Finished, collection: str) -> dict[str, Any]:
    arms = [arm for arm in finished.comparison.arms if finished.of(collection, arm)]
    return {
        "arms": {arm.name: _of_arm(finished, collection, arm) for arm in arms},
        "metrics": {metric: _of_metric(finished, collection, arms, metric) for metric in METRICS},
    }


def _of_arm(finished: Finished, collection: str, arm: Arm) -> dict[str, Any]:
    """At the end of its runs, and the labels they took to each target."""
    ends = [result["final"] for result in finished.of(collection, arm).values()]
    names = ("n_human", "n_audit", "coverage", "accuracy", "auto_error", "upper_bound", "test_accuracy")
    targets = finished.comparison.targets
    return {
        "n_seeds": len(ends),
        "final": {name: _band_of([end[name] for end in ends]) for name in names},
        "seconds": _band_of([_seconds(result) for result in finished.of(collection, arm).values()]),
        "labels_to": {
            metric: [_labels_to(finished.curves(collection, arm, metric), target) for target in targets]
            for metric in METRICS
        },
    }


def _seconds(result: Result) -> float:
    return float(sum(record["seconds"] for record in result["rounds"]))


def _band_of(values: Sequence[float | None]) -> dict[str, Any] | None:
    known = [value for value in values if value is not None]
    return asdict(band(known)) if known else None


def _labels_to(curves: Mapping[int, Curve], target: float) -> dict[str, Any]:
    """A mean only where every seed got there: that of the lucky ones would be too low."""
    found = [curve.labels_to(target) for curve in curves.values()]
    reached = [n for n in found if n is not None]
    whole = asdict(band(reached)) if found and len(reached) == len(found) else None
    return {"target": target, "n_reached": len(reached), "n_seeds": len(found), "labels": whole, "by_seed": found}


def _of_metric(finished: Finished, collection: str, arms: Sequence[Arm], metric: str) -> dict[str, Any] | None:
    """Mean curves on common budgets, areas under them, and the matrix of wins; None where nobody measured it."""
    curves = {arm.name: finished.curves(collection, arm, metric) for arm in arms}
    curves = {name: by_seed for name, by_seed in curves.items() if by_seed}
    if not curves:
        return None
    budgets = common_budgets([curve for by_seed in curves.values() for curve in by_seed.values()])
    return {
        "curves": {name: _mean_curve(list(by_seed.values())) for name, by_seed in curves.items()},
        "budgets": budgets.tolist(),
        "area": {name: _areas(by_seed, budgets) for name, by_seed in curves.items()},
        **_compared(curves, budgets, finished.comparison.baseline),
    }


def _mean_curve(curves: Sequence[Curve]) -> list[dict[str, Any]]:
    """One arm's own curve, at the budgets that all its seeds reached."""
    budgets = common_budgets(curves)
    values = np.array([curve.at(budgets) for curve in curves])
    return [{"n_human": int(n), **asdict(band(values[:, i].tolist()))} for i, n in enumerate(budgets)]


def _areas(curves: Mapping[int, Curve], budgets: Floats) -> dict[str, Any] | None:
    return asdict(band([area(curve, budgets) for curve in curves.values()])) if len(budgets) else None


def _compared(curves: Mapping[str, Mapping[int, Curve]], budgets: Floats, baseline: str | None) -> dict[str, Any]:
    """Over the seeds that all arms have finished: wins by arm and arm, and the least lead over the baseline."""
    seeds = sorted(set.intersection(*(set(by_seed) for by_seed in curves.values())))
    if not len(budgets) or not seeds:
        return {"paired_seeds": seeds, "wins": None, "lead": None}
    values = np.array([[by_seed[seed].at(budgets) for seed in seeds] for by_seed in curves.values()])
    wins = penalty_matrix(values).tolist() if len(seeds) > 1 and len(values) > 1 else None
    lead = None if baseline is None or baseline not in curves else _lead(values, budgets, list(curves), baseline)
    return {"paired_seeds": seeds, "wins": wins and {"arms": list(curves), "matrix": wins}, "lead": lead}


def _lead(values: Floats, budgets: Floats, names: Sequence[str], baseline: str) -> dict[str, Any]:
    """By arm: where its mean lead over the baseline is least, and the band there. In shares, below 0: behind."""
    leads = values - values[names.index(baseline)]
    worst = leads.mean(axis=1).argmin(axis=1)
    return {
        name: {"n_human": int(budgets[at]), **asdict(band(leads[i, :, at].tolist()))}
        for i, (name, at) in enumerate(zip(names, worst, strict=True))
        if name != baseline
    }


def _penalty(comparison: Comparison, by_collection: Mapping[str, Any]) -> dict[str, Any] | None:
    """Accuracy's matrices added up over the collections in which every arm has a part."""
    names = [arm.name for arm in comparison.arms]
    found = [entry["metrics"]["accuracy"] for entry in by_collection.values()]
    matrices = [one["wins"]["matrix"] for one in found if one and one["wins"] and one["wins"]["arms"] == names]
    if not matrices:
        return None
    total = np.sum(matrices, axis=0)
    others = max(1, len(names) - 1)
    return {
        "arms": names,
        "matrix": total.tolist(),
        "column_means": (total.sum(axis=0) / others).tolist(),
        "n_collections": len(matrices),
    }


__all__ = ["METRICS", "Band", "Finished", "figures", "read_finished"]
