"""How fast something goes on, and how long it still takes, from when each part was done."""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Speed:
    """Progress of one job. began_s, first: when its first part was seen done; now_s, done: when its last one was."""

    doing: str = ""
    total: int = 0
    began_s: float = 0.0
    first: int = 0
    now_s: float = 0.0
    done: int = 0

    def after(self, doing: str, done: int, total: int, now_s: float) -> "Speed":
        """With one more observation; another job, or one that began anew, starts afresh."""
        if (doing, total) != (self.doing, self.total) or done < self.done:
            return Speed(doing, total, now_s, done, now_s, done)
        return replace(self, now_s=now_s, done=done)

    @property
    def per_s(self) -> float | None:
        """Parts a second since the first observation; None until there are two that tell."""
        if self.done == self.first or self.now_s <= self.began_s:
            return None
        return (self.done - self.first) / (self.now_s - self.began_s)

    @property
    def left_s(self) -> float | None:
        """Seconds to the end at this speed; None while that is unknown."""
        return None if self.per_s is None else (self.total - self.done) / self.per_s
