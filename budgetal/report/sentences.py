"""The result in three plain sentences, for the top of the report and the end of a run."""

from collections.abc import Mapping, Sequence
from typing import Any

from budgetal.annotators.bounds import audit_labels_needed
from budgetal.annotators.no_guarantee import LABELLERS
from budgetal.annotators.risk import risk_after_guard
from budgetal.report.numbers import count, percent_at_least, percent_at_most

DEFAULT_TOLERANCE = 0.05
DEFAULT_RISK = 0.05


def result_in_three_lines(summary: Mapping[str, Any]) -> tuple[str, str, str]:
    """Who labelled how many images, how wrong the automatic labels can be, what was spent (and a fall-back).

    summary: the content of report.json; a missing or null value leaves its part out.
    """
    return _labels(summary), _certificate(summary), _budget(summary) + _fallback(summary)


def outliers_line(outliers: Mapping[str, Any] | None) -> str:
    """Images that are none of the classes: known, and possible ones that are never labelled automatically."""
    if not outliers or not outliers["n_known"]:
        return ""
    known = (
        f"{_counted(outliers['n_known'], 'image')} labelled by people {_are(outliers['n_known'])} none of the classes"
    )
    audit = f", {count(outliers['n_known_audit'])} of them in the audit"
    if outliers["threshold"] is None:
        return f"{known}{audit}. Nothing was ruled out for resembling them."
    n = outliers["n_possible"]
    return f"{known}{audit}. {_counted(n, 'other')} may be such too and {_are(n)} not labelled automatically."


def _are(n: int) -> str:
    return "is" if n == 1 else "are"


def certificate_issued(summary: Mapping[str, Any]) -> bool:
    """Whether there is a bound to show."""
    return (summary.get("certificate") or {}).get("upper_bound") is not None


def _labels(summary: Mapping[str, Any]) -> str:
    parts = (
        _by_people(summary.get("n_human_labels")),
        _automatic(summary.get("n_auto_labels")),
        _unlabelled(summary.get("n_unlabelled")),
    )
    n_samples = summary.get("n_samples")
    if n_samples == 0:
        return "No images: there was nothing to label."
    total = "Images" if n_samples is None else _counted(n_samples, "image")
    return f"{total}: {', '.join(part for part in parts if part) or 'no labels were counted'}."


def _by_people(n: int | None) -> str:
    if n is None:
        return ""
    return f"{count(n) if n else 'none'} labelled by {'a person' if n == 1 else 'people'}"


def _automatic(n: int | None) -> str:
    return "" if n is None else f"{count(n) if n else 'none'} automatically"


def _unlabelled(n: int | None) -> str:
    if n is None:
        return ""
    if n == 0:
        return "none left without a label"
    return f"{count(n)} {'needs' if n == 1 else 'need'} a person or a larger budget"


def without_guarantee(labeller: str) -> str:
    """The one sentence on automatic labels that nothing is promised of."""
    return f"No guarantee: the automatic labels are {labeller!r}'s, and nothing is promised of their error"


def _certificate(summary: Mapping[str, Any]) -> str:
    labeller = summary.get("auto_labeller")
    if labeller in LABELLERS:
        return f"{without_guarantee(str(labeller))}."
    if not certificate_issued(summary):
        return f"No automatic label is certified: {_why_not(summary)}."
    certificate = summary["certificate"]
    bound, risk = certificate["upper_bound"], certificate.get("risk")
    confidence = "" if risk is None else f", with {percent_at_least(1 - risk)} confidence"
    limit = f"at most {percent_at_most(bound)} wrong{confidence}"
    each = each_class(certificate.get("class_thresholds"), certificate.get("tolerance")) or of_all_labels(certificate)
    return f"The automatic labels are {limit}{_evidence(certificate)}.{each and f' {each}'}"


def of_all_labels(certificate: Mapping[str, Any]) -> str:
    """What is promised of the whole collection, where the tolerance is about that; else nothing."""
    n_all, n_auto = certificate.get("n_all"), certificate.get("n_auto")
    if not n_all or n_auto is None:
        return ""
    share, tolerance = certificate["upper_bound"] * n_auto / n_all, certificate.get("tolerance")
    above = "" if tolerance is None or share <= tolerance else f", more than the {percent_at_most(tolerance)} asked for"
    return f"Of all {count(n_all)} labels at most {percent_at_most(share)} are wrong, people's taken as right{above}."


def each_class(thresholds: Sequence[float | None] | None, tolerance: float | None) -> str:
    """What is promised of every class by itself where each has a threshold of its own, and how many have none."""
    if thresholds is None or tolerance is None:
        return ""
    without = sum(own is None for own in thresholds)
    lacking = f"; {count(without)} of {count(len(thresholds))} classes have none" if without else ""
    return f"Of each class's automatic labels at most {percent_at_most(tolerance)} are wrong{lacking}."


def _evidence(certificate: Mapping[str, Any]) -> str:
    n_audit, errors = certificate.get("n_audit"), certificate.get("errors")
    if n_audit is None or errors is None:
        return ""
    return f" (from {_counted(n_audit, 'audit label')} with {_counted(errors, 'error')})"


def _why_not(summary: Mapping[str, Any]) -> str:
    n_audit = summary.get("n_audit_labels")
    tolerance, risk = _asked_for(summary)
    goal = f"at most {percent_at_most(tolerance)} error with {percent_at_least(1 - risk)} confidence"
    # After a fall-back of the guard much less risk is left, which needs a larger audit.
    if summary.get("auto_labeller") == "whole":
        return _no_weighted_audit(n_audit)
    needed = audit_labels_needed(tolerance, risk_after_guard(risk, summary.get("fallback_round")))
    if not n_audit:
        return f"there is no audit, and {goal} needs {count(needed)} audit labels or more"
    if n_audit < needed:
        have = "1 label is" if n_audit == 1 else f"{count(n_audit)} labels are"
        return f"the audit is too small, its {have} fewer than the {count(needed)} needed to show {goal}"
    judged = "audit label does" if n_audit == 1 else f"{count(n_audit)} audit labels do"
    return f"the {judged} not show a group of images with {goal}; label more images, or allow more error"


def _no_weighted_audit(n_audit: int | None) -> str:
    if n_audit:
        return "the model is another than the one that its audit was drawn for: raise the budget for another audit"
    return "the audit at the end of the budget was not reached, and nothing else bounds the error of all labels"


def _asked_for(summary: Mapping[str, Any]) -> tuple[float, float]:
    wanted = summary.get("certificate") or summary
    tolerance, risk = wanted.get("tolerance"), wanted.get("risk")
    return (
        DEFAULT_TOLERANCE if tolerance is None else tolerance,
        DEFAULT_RISK if risk is None else risk,
    )


def _budget(summary: Mapping[str, Any]) -> str:
    spent, budget = summary.get("n_paid_labels", summary.get("n_human_labels")), summary.get("budget")
    if budget is None:
        return f"Budget: none was set; {_counted(spent or 0, 'label')} spent."
    if spent is None:
        return f"Budget: {_counted(budget, 'label')}."
    return f"Budget: {count(spent)} of {_counted(budget, 'label')} spent."


def _fallback(summary: Mapping[str, Any]) -> str:
    round, strategy = summary.get("fallback_round"), summary.get("strategy")
    if round is None:
        return ""
    name = f"{strategy!r}" if strategy else "the strategy"
    return f" After round {round} queries were random: {name} did worse than random labels would have."


def _counted(n: int, noun: str) -> str:
    """1 → "1 label", 2 → "2 labels"."""
    return f"{count(n)} {noun}" if n == 1 else f"{count(n)} {noun}s"
