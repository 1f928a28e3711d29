"""How the risk of a wrong certificate is shared by all the looks that a project may ever take.

Every look has its share before any answer is seen, and all shares together are 1. So the promise "wrong with
probability at most `risk`" holds for everything that a project says in its life: its last certificate,
those after each enlarged budget, and those that ended it early.

The guard lets audit answers decide one thing: in which round, if ever, queries become random. For each
outcome the run is one that no audit answer steers. Each outcome has a share of the risk, so the promise
holds for whichever comes to pass (a union bound over them).
"""

FIRST_FINAL = 0.8
FIRST_FINAL_WITH_TARGET = 0.5
LATER_FINALS = 0.1
GUARD = 0.05


def risk_after_guard(risk: float, fallback_round: int | None) -> float:
    """What is left of `risk` for all looks of a run whose guard fell back after that round, or never (None).

    The outcomes' shares are GUARD / ((k + 1) (k + 2)) for round k, which sum to GUARD, and the rest for never.
    """
    if fallback_round is None:
        return risk
    return risk * GUARD / ((fallback_round + 1) * (fallback_round + 2))


def final_risk(risk: float, n_earlier: int, *, has_target: bool) -> float:
    """Risk of the look at the planned end, after `n_earlier` such looks (a budget may be enlarged)."""
    if n_earlier == 0:
        return risk * (FIRST_FINAL_WITH_TARGET if has_target else FIRST_FINAL)
    return risk * LATER_FINALS * 0.5**n_earlier


def weighted_audit_risk(risk: float, number: int) -> float:
    """Risk of all looks at one audit by weight, the first of a project being number 0, however its end came about.

    Its bound holds after every draw at once, so one share pays for every look at that draw; a draw that is given up
    has had its share.
    """
    return final_risk(risk, number, has_target=False)


def round_risk(risk: float, round: int, *, has_target: bool) -> float:
    """Risk of the look after `round` (from 0) when it may end the run: by its target or by hand.

    1 / ((k + 1) (k + 2)) sums to 1 over all rounds, however many there will be.
    """
    first = FIRST_FINAL_WITH_TARGET if has_target else FIRST_FINAL
    return risk * (1 - first - LATER_FINALS - GUARD) / ((round + 1) * (round + 2))
