"""Who beats whom: the pairwise penalty matrix of Ash et al., ICLR 2020 (BADGE), section 5."""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student_t

from budgetal.compare.curves import Floats

LEVEL = 0.05


def wins(values: Floats) -> NDArray[np.bool_]:
    """(arms, arms, budgets): whether the row's arm beats the column's at each budget.

    values: (arms, seeds, budgets), the same seeds for all. Arm i beats arm j where the mean of the differences over
    seeds is above 0 in a two-sided paired t-test at 5 %: t = √s · mean / deviation above the quantile 97.5 % of
    Student's t with s - 1 degrees of freedom (2.776 for five seeds). Without any deviation a
    difference counts as it is. Raises ValueError for fewer than two seeds.
    """
    n_seeds = values.shape[1]
    if n_seeds < 2:
        raise ValueError("a paired test needs two seeds or more")
    differences = values[:, None] - values[None, :]
    mean, deviation = differences.mean(axis=2), differences.std(axis=2, ddof=1)
    critical = student_t.ppf(1 - LEVEL / 2, n_seeds - 1)
    # Equal runs have a mean of exactly 0 and no deviation: neither side of 0 > 0 holds.
    return np.asarray(np.sqrt(n_seeds) * mean > critical * deviation, dtype=np.bool_)


def penalty_matrix(values: Floats) -> Floats:
    """(arms, arms): the share of budgets at which the row's arm beats the column's, from 0 to 1.

    Added up over collections, an entry is at most their number. The mean of a column is how often others beat that
    arm: low is good.
    """
    return np.asarray(wins(values).mean(axis=2), dtype=np.float64)
