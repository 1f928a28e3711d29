"""How often somebody may try to log in. Counted in memory: one process serves a project."""

import math
import time

from limits import RateLimitItemPerHour, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from budgetal.errors import BudgetalError

# Fifty people behind one address come in together; nobody mistypes a password six times a minute.
FROM_ONE_ADDRESS = RateLimitItemPerMinute(60, namespace="address")
AS_ONE_PERSON = RateLimitItemPerMinute(5, namespace="person at address")
# From many addresses at once.
AS_ONE_PERSON_FROM_ANYWHERE = RateLimitItemPerHour(60, namespace="person")

STEP_S = 5.0
"""What a clock that is merely disciplined does not lose between two attempts."""


class TooManyAttemptsError(BudgetalError):
    """Log-in was tried too often. wait_s: until it may be tried again."""

    def __init__(self, wait_s: int) -> None:
        super().__init__(f"Too many attempts: try again in {wait_s} s")
        self.wait_s = wait_s


class Attempts:
    """Attempts to log in, by address and by name."""

    def __init__(self) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._offset_s = _offset_s()

    def count(self, address: str, name: str) -> None:
        """Count one attempt. Raises TooManyAttemptsError for one too many, which counts as well."""
        self._follow_clock()
        for limit, who in _limits(address, name):
            if not self._limiter.hit(limit, *who):
                reset_s = self._limiter.get_window_stats(limit, *who).reset_time
                raise TooManyAttemptsError(max(1, math.ceil(reset_s - time.time())))

    def _follow_clock(self) -> None:
        """Attempts of a time that is yet to come, since the clock was set back, would keep people out until then."""
        before, self._offset_s = self._offset_s, _offset_s()
        if self._offset_s < before - STEP_S:
            self._limiter.storage.reset()

    def forget(self, address: str, name: str) -> None:
        """Somebody came in: their earlier attempts count no more."""
        self._limiter.clear(AS_ONE_PERSON, address, name)


def _offset_s() -> float:
    """The wall clock's lead on one that nobody sets."""
    return time.time() - time.monotonic()


def _limits(
    address: str, name: str
) -> tuple[tuple[RateLimitItemPerMinute | RateLimitItemPerHour, tuple[str, ...]], ...]:
    return (
        (FROM_ONE_ADDRESS, (address,)),
        (AS_ONE_PERSON, (address, name)),
        (AS_ONE_PERSON_FROM_ANYWHERE, (name,)),
    )
