"""How fast people answer, by the clock of the journal."""

from dataclasses import dataclass, field
from statistics import median

SHORTEST_S, LONGEST_S = 0.2, 120.0
"""Answers that came at once were told together; after a longer gap a person did something else meanwhile."""
FEWEST = 5


@dataclass
class Pace:
    """Seconds between one answer of a person and the next of the same query. The clock may step: only gaps that a
    person can take count.
    """

    last: dict[str, tuple[int, float]] = field(default_factory=dict)
    gaps_s: dict[str, list[float]] = field(default_factory=dict)

    def note(self, annotator: str, query_id: int, at_unix_s: float) -> None:
        """An answer came."""
        before_query, before_s = self.last.get(annotator, (query_id, at_unix_s))
        gap_s = at_unix_s - before_s
        if before_query == query_id and SHORTEST_S <= gap_s <= LONGEST_S:
            self.gaps_s.setdefault(annotator, []).append(gap_s)
        self.last[annotator] = query_id, at_unix_s

    def seconds_per_answer(self, annotator: str) -> float | None:
        """Median seconds of an answer; None for fewer than five gaps."""
        gaps = self.gaps_s.get(annotator, [])
        return median(gaps) if len(gaps) >= FEWEST else None
