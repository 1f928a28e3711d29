"""How the risk of a wrong certificate is shared by all the looks that a project may ever take.

Every look has its share before any answer is seen, and all shares together are 1. So the promise "wrong with
probability at most `risk`" holds for everything that a project says in its life: its last certificate,
those after each enlarged budget, and those that ended it early.
"""

FIRST_FINAL = 0.8
FIRST_FINAL_WITH_TARGET = 0.5
LATER_FINALS = 0.1


def final_risk(risk: float, n_earlier: int, *, has_target: bool) -> float:
    """Risk of the look at the planned end, after `n_earlier` such looks (a budget may be enlarged)."""
    if n_earlier == 0:
        return risk * (FIRST_FINAL_WITH_TARGET if has_target else FIRST_FINAL)
    return risk * LATER_FINALS * 0.5**n_earlier


def round_risk(risk: float, round: int, *, has_target: bool) -> float:
    """Risk of the look after `round` (from 0) when it may end the run: by its target or by hand.

    1 / ((k + 1) (k + 2)) sums to 1 over all rounds, however many there will be.
    """
    first = FIRST_FINAL_WITH_TARGET if has_target else FIRST_FINAL
    return risk * (1 - first - LATER_FINALS) / ((round + 1) * (round + 2))
