"""What is known of every class: who labelled how many, what the audit saw of it, and whether it is certified."""

from collections import Counter
from typing import Any

import numpy as np

from budgetal.annotators.budget_annotator import possible
from budgetal.annotators.per_class import more_audit
from budgetal.annotators.proposals import Proposals
from budgetal.annotators.risk import final_risk, risk_after_guard
from budgetal.answers import classed, outside_audit
from budgetal.data.pool import Pool
from budgetal.evidence import evidence
from budgetal.state import State
from budgetal.types import Json, RowArray


def class_coverage(
    state: State, automatic: RowArray, pool: Pool, proposals: Proposals | None, by_class: list[Json] | None
) -> list[Json]:
    """One row a class, in their order, whether or not anything is certified.

    automatic: (n,) classes of the automatic labels in force; by_class: as from `certificate_by_class`. `n_training`
    and `n_audit_true` count people's answers, `n_predicted` and `n_audit_predicted` open images by what they would be
    labelled automatically. `more_audit`: audit images predicted as the class that are missing for a certificate of
    it, if none of them is wrong; null where it has one, where the model errs on it more often than tolerated, and where
    the promise is on all labels together.
    """
    training, audit = _answers(state, outside_audit(state)), _answers(state, _in_audit(state))
    predicted = _predicted(state, pool, proposals)
    found: list[Any] = by_class or [{}] * len(predicted)
    rows: list[Json] = []
    for target, name in enumerate(state.settings.classes):
        n_predicted, n_audited, errors = predicted[target].tolist()
        is_certified = bool(found[target].get("certified"))
        rows.append(
            {
                "class": name,
                "n_training": training[name],
                "n_audit_true": audit[name],
                "n_predicted": n_predicted,
                "n_audit_predicted": n_audited,
                "n_auto": int((automatic == target).sum()),
                "certified": is_certified,
                "upper_bound": found[target].get("upper_bound"),
                "more_audit": None if is_certified else _more(state, n_audited, errors, found[target]),
            }
        )
    return rows


def unseen(state: State) -> tuple[list[str], list[str]]:
    """Classes that no training label names, and classes that no audit answer names."""
    training, audit = _answers(state, outside_audit(state)), _answers(state, _in_audit(state))
    classes = state.settings.classes
    return [name for name in classes if not training[name]], [name for name in classes if not audit[name]]


def _in_audit(state: State) -> list[str]:
    return [i for i in state.labels if state.is_held_out(i)]


def _answers(state: State, sample_ids: list[str]) -> Counter[str]:
    return Counter(state.labels[i].label for i in classed(state, sample_ids))


def _predicted(state: State, pool: Pool, proposals: Proposals | None) -> RowArray:
    """Open images, audit images among them, and errors among these, by predicted class: (m, 3)."""
    n_classes = len(state.settings.classes)
    if proposals is None:
        return np.zeros((n_classes, 3), np.int64)
    rests_on = evidence(state, pool, proposals)
    rows, seen = possible(proposals, rests_on.open_rows, rests_on.audit)
    given = proposals.targets[seen.rows]
    parts = proposals.targets[rows], given, given[given != seen.targets]
    return np.stack([np.bincount(part, minlength=n_classes) for part in parts], axis=1)


def _more(state: State, n_audit: int, errors: int, found: dict[str, Any]) -> int | None:
    if state.settings.labels_everything:
        return None
    if "more_audit" in found:
        return None if found["more_audit"] is None else int(found["more_audit"])
    all_risk = risk_after_guard(state.settings.risk, state.felt_fallback)
    risk = final_risk(all_risk, state.n_final_looks, has_target=state.settings.target_coverage is not None)
    return more_audit(n_audit, errors, state.settings.tolerance, risk)
