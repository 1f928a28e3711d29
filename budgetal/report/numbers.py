"""Numbers as a person reads them. Nothing is rounded to look better than it is."""

import math

MISSING = "–"


def known(value: float | None) -> bool:
    """Whether there is a number to show."""
    return value is not None and math.isfinite(value)


def count(value: float | None) -> str:
    """1204 → "1,204"."""
    return MISSING if value is None or not math.isfinite(value) else f"{round(value):,}"


def percent(share: float | None) -> str:
    """0.0482 → "4.8 %". Only exactly 1 is "100.0 %" and only exactly 0 is "0.0 %"."""
    if share is None or not math.isfinite(share):
        return MISSING
    if 0 < share < 0.0005:
        return "< 0.1 %"
    if 0.9995 <= share < 1:
        return "> 99.9 %"
    return f"{100 * share:.1f} %"


def percent_at_most(share: float) -> str:
    """An upper bound, rounded up so that it still holds: 0.0444 → "4.5 %", 0.05 → "5 %"."""
    return f"{math.ceil(1000 * share - 1e-9) / 10:g} %"


def percent_at_least(share: float) -> str:
    """A level of confidence, rounded down so that it still holds: 0.95 → "95 %"."""
    return f"{math.floor(1000 * share + 1e-9) / 10:g} %"


def money(value: float) -> str:
    """1234.5 → "1,234.50", and no cents where there are none: 80.0 → "80"."""
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.2f}"


def decimal(value: float | None) -> str:
    """Three significant digits, such as a loss: 0.30103 → "0.301"."""
    return MISSING if value is None or not math.isfinite(value) else f"{value:.3g}"


def duration(seconds: float | None) -> str:
    """One unit, two or three digits: 71.3 → "71 s", 192 → "3.2 min", 8000 → "2.2 h"."""
    if seconds is None or not math.isfinite(seconds):
        return MISSING
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} min" if seconds < 7200 else f"{seconds / 3600:,.1f} h"
