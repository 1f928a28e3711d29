"""The command that computes a certificate again."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import typer

from budgetal.annotators.no_guarantee import LABELLERS
from budgetal.cli import options
from budgetal.cli.app import app
from budgetal.recertify import Look, Recertified, recertify
from budgetal.report.sentences import each_class, of_all_labels, without_guarantee


@app.command(epilog="Example: budgetal certify runs/demo")
def certify(folder: options.ProjectFolder, as_json: options.AsJson = False) -> None:
    """Compute the certificate again from the journal and stored arrays; exit 1 when it comes out otherwise."""
    found = recertify(folder)
    typer.echo(json.dumps(_as_dict(found)) if as_json else "\n".join(_lines(found)))
    if not found.agrees:
        raise typer.Exit(1)


def _as_dict(found: Recertified) -> dict[str, Any]:
    fields = asdict(found)
    recorded, by_class = fields.pop("recorded"), fields.pop("by_class")
    return {"agrees": found.agrees, "certificate": recorded, **fields, "certificate_by_class": by_class}


def _lines(found: Recertified) -> Iterator[str]:
    yield from _promise(found)
    if found.looks:
        yield "Computed again from the journal and the stored arrays: " + ("agrees" if found.agrees else "DIFFERS")
        yield from (f"  {difference}" for difference in found.differences)
    if found.after_review is not None:
        yield found.after_review.sentence()
    if found.n_answers_changed:
        yield f"{found.n_answers_changed} audit answers changed since: the next look will count them"
    if found.looks and not found.is_last_word:
        yield "The run has not ended: a later look replaces this one"
    yield from _table("Looks at the audit", [_look(look) for look in found.looks])
    yield f"Risk spent: {found.risk_spent:.4g} of {found.risk:.4g}"
    yield from _table("Guard", [_verdict(verdict) for verdict in found.verdicts])
    rows: list[Any] = found.by_class or []
    yield from _table("By predicted class, all together at the look's risk", [_class(row) for row in rows])


def _promise(found: Recertified) -> Iterator[str]:
    certificate = found.recorded
    if found.auto_labeller in LABELLERS:
        n_auto = found.looks[-1].n_auto if found.looks else 0
        yield f"{without_guarantee(found.auto_labeller)}; {n_auto:,} automatic labels"
    elif not found.looks:
        yield "No certificate yet: nothing was predicted and labelled automatically so far"
    elif certificate is None:
        yield f"Nothing is certified at a tolerance of {found.tolerance:.2%}: no automatic labels"
    else:
        whom = "is shown for itself alone" if found.looks[-1].kind == "shown only" else "is part of the promise"
        yield (
            f"{certificate.n_auto:,} automatic labels, at most {certificate.upper_bound:.2%} of them wrong with "
            f"{1 - found.risk:.0%} confidence; this look {whom}"
        )
        counts = f"{certificate.errors} errors in {certificate.n_audit} audit labels"
        if certificate.class_thresholds is not None:
            yield f"{each_class(certificate.class_thresholds, certificate.tolerance)} {counts} in all"
            return
        if certificate.n_all is not None:
            yield f"{of_all_labels(asdict(certificate))} {counts}, drawn by weight"
            return
        yield (
            f"  threshold {certificate.threshold:.6f}: {counts}; these bound the error by "
            f"{certificate.bound_at_threshold:.4%} at the look's risk, {certificate.risk:.6g}"
        )


def _table(title: str, rows: list[str]) -> Iterator[str]:
    if rows:
        yield title
        yield from (f"  {row}" for row in rows)


def _look(look: Look) -> str:
    spent = f"share {look.spent:.6f}" if look.spent else "no share"
    return f"event {look.seq}, round {look.round}, {look.kind}: {spent}; {look.n_auto:,} automatic labels"


def _verdict(verdict: dict[str, Any]) -> str:
    says = "worse: queries are random from here" if verdict["worse"] else "not worse"
    accuracies = f"strategy {verdict['strategy_accuracy']:.1%}, random {verdict['random_accuracy']:.1%}"
    return f"round {verdict['round']}: {accuracies}, p = {verdict['p_value']:.3f}, {says}"


def _class(row: dict[str, Any]) -> str:
    counts = (
        f"{row['class']}: {row['n_auto']:,} automatic labels, {row['errors']} errors in {row['n_audit']} audit labels"
    )
    if row["certified"]:
        return f"{counts}; at most {row['upper_bound']:.2%} wrong"
    if row["own_n_auto"] and row["n_auto"]:
        return f"{counts}; certified only from {row['own_threshold']:.6f}, where it has {row['own_n_auto']:,}"
    more = row["more_audit"]
    return f"{counts}; not certified" + (f": {more:,} more audit images of it needed" if more else ": too many errors")
