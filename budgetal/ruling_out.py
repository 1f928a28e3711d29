"""Which images of a project are possible outliers, by the answers outside its audit."""

import numpy as np

from budgetal.annotators.outliers import Outliers
from budgetal.answers import none_of_these, outside_audit, targets_of
from budgetal.data.pool import Pool
from budgetal.engine.comparison import Labelled
from budgetal.engine.outlier_head import fit_outlier_head, score_outliers
from budgetal.engine.saved_outliers import OutlierHead
from budgetal.seeding import generator
from budgetal.state import State
from budgetal.store.arrays import ArrayStore
from budgetal.types import Json, RowArray
from budgetal.views import Views

SHARE_LOOKED_AT = 0.1
"""Of each query. More finds outliers that are known to be such, none would leave mistakes as they are."""


def find_outliers(views: Views, state: State, round: int) -> Outliers | None:
    """The possible outliers of a round; None while people found none, or where nobody is to look for them.

    Answers of the audit play no part, nor does which images are in it.
    """
    if views.config.outliers == "off" or not len(views.outlier_rows(state)):
        return None
    engine, features = views.space.engine, views.space.engine.frozen_features()
    rng = generator(views.config.seed, round, "outliers")
    return score_outliers(features, _known(views, state), engine.standard, rng)


def outliers_to_save(views: Views, state: State) -> OutlierHead | None:
    """What a saved model needs to rule out as the newest round did; None where that ruled nothing out."""
    if state.outliers is None or not len(views.outlier_rows(state)):
        return None
    weight, bias = fit_outlier_head(_known(views, state), views.space.engine.standard).folded()
    return OutlierHead(weight, bias, state.outliers.threshold)


def _known(views: Views, state: State) -> Labelled:
    """The labelled images outside the audit, none of which has a class where people said so."""
    rows = np.sort(views.pool.rows(outside_audit(state)))
    features = views.space.engine.frozen_features()
    return Labelled(features[rows], targets_of(state, views.pool.ids(rows)))


def apart(rows: RowArray, outliers: Outliers | None, fewest: int = 0) -> tuple[RowArray, RowArray]:
    """Rows of the classes, and possible outliers; where fewer than `fewest` would be left, all are of the classes."""
    strange = np.zeros(len(rows), bool) if outliers is None else outliers.possible[rows]
    if (~strange).sum() < fewest:
        strange = np.zeros(len(rows), bool)
    return rows[~strange], rows[strange]


def n_to_look_at(n: int) -> int:
    """How many of a query's n images are possible outliers."""
    return int(SHARE_LOOKED_AT * n)


def outliers_of(state: State, arrays: ArrayStore) -> Outliers | None:
    """The possible outliers of the newest round. Raises StorageError when the stored array is gone or damaged."""
    if state.outliers is None:
        return None
    return Outliers(arrays.get(state.outliers.scores), state.outliers.threshold)


def outlier_summary(state: State, pool: Pool, outliers: Outliers | None) -> dict[str, Json]:
    """The content of `outliers` in report.json.

    `n_known` images that people found to be none of the classes, `n_known_audit` of them in the audit, and
    `n_possible` others that resemble those: above `threshold`, null where nothing was ruled out.
    """
    audit = len(none_of_these(state, (i for i in state.labels if state.is_held_out(i))))
    others = pool.rows_except(state.labels)
    return {
        "n_known": audit + len(none_of_these(state, outside_audit(state))),
        "n_known_audit": audit,
        "n_possible": 0 if outliers is None else int(outliers.possible[others].sum()),
        "threshold": None if outliers is None else outliers.threshold,
    }
