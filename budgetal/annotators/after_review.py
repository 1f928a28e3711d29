"""What a certificate says once people have reviewed some of the labels that it is about."""

import math
from dataclasses import dataclass

from budgetal.annotators.certificate import Certificate

_ROUNDING = 1e-9


@dataclass(frozen=True)
class AfterReview:
    """Of n_certified automatic labels people reviewed n_reviewed and corrected n_corrected.

    most_wrong: wrong ones among those that nobody reviewed, at most, at the certificate's confidence. upper_bound:
    that as a share of all n_certified images, reviewed ones counted as right; upper_bound_unreviewed: of those that
    are still automatic. is_refuted: people found more wrong labels than the certificate allows.
    """

    n_certified: int
    n_reviewed: int
    n_corrected: int
    most_wrong: int
    upper_bound: float
    upper_bound_unreviewed: float
    is_refuted: bool

    def sentence(self) -> str:
        """What it says, for people."""
        reviewed = (
            f"People reviewed {self.n_reviewed:,} of {self.n_certified:,} labels and corrected {self.n_corrected:,}"
        )
        if self.is_refuted:
            return f"{reviewed}, more than the certificate allows: it does not hold, do not rely on it."
        left = f"at most {self.most_wrong:,} of the other {self.n_certified - self.n_reviewed:,} are wrong"
        return f"{reviewed}: {left} ({self.upper_bound_unreviewed:.2%}), {self.upper_bound:.2%} of all of them."


def after_review(certificate: Certificate, n_reviewed: int, n_corrected: int) -> AfterReview:
    """The certificate's statement about what review left, at the same risk.

    With probability 1 - risk at most K = ⌊upper_bound × n_auto⌋ automatic labels are wrong. Where that holds, at most
    K - n_corrected of the unreviewed ones are, whoever chose what to review and why: that follows from counting
    and needs no further chance. Raises ValueError for counts that do not fit.
    """
    n = certificate.n_auto
    if not 0 <= n_corrected <= n_reviewed <= n:
        raise ValueError(f"Cannot review {n_reviewed} of {n} labels and correct {n_corrected} of these")
    allowed = math.floor(certificate.upper_bound * n + _ROUNDING)
    left = n - n_reviewed
    most = min(max(0, allowed - n_corrected), left)
    return AfterReview(
        n, n_reviewed, n_corrected, most, most / n if n else 0.0, most / left if left else 0.0, n_corrected > allowed
    )
