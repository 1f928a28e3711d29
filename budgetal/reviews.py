"""What people say of automatic labels that they were shown.

Reviews are kept apart from all other answers. They reach exports, reports and the ledger, and never a training set, a
query or an audit: whoever reviews has seen which images the audit left to the machine, so a model that learnt from
reviews, or a pool that shrank by them, would depend on the draw of the audit (docs/certificate.md, "Reviews").
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from budgetal.budget.cost import Paid


@dataclass(frozen=True)
class Review:
    """One person's word on an automatic label. automatic: what the machine said; round: of its model."""

    label: str
    annotator: str
    automatic: str
    round: int


@dataclass
class Reviews:
    """All reviews of a project by image, one a person, the newest last: it is the image's label.

    were_shown: whether automatic labels were ever shown to somebody, so that no audit drawn later would be blind.
    """

    by_image: dict[str, tuple[Review, ...]] = field(default_factory=dict)
    were_shown: bool = False

    def __len__(self) -> int:
        return len(self.by_image)

    def __contains__(self, sample_id: object) -> bool:
        return sample_id in self.by_image

    def of(self, sample_id: str) -> Review | None:
        """The last word on an image, or None."""
        given = self.by_image.get(sample_id, ())
        return given[-1] if given else None

    def is_disputed(self, sample_id: str) -> bool:
        """Whether people disagree about an image."""
        return len({review.label for review in self.by_image.get(sample_id, ())}) > 1

    def add(self, sample_id: str, review: Review) -> None:
        """A person's word, in place of what the same person said before."""
        others = (one for one in self.by_image.get(sample_id, ()) if one.annotator != review.annotator)
        self.by_image[sample_id] = (*others, review)

    def take_back(self, sample_id: str, annotator: str) -> None:
        """Forget what this person said."""
        left = tuple(one for one in self.by_image.pop(sample_id, ()) if one.annotator != annotator)
        if left:
            self.by_image[sample_id] = left

    def rename(self, names: Mapping[str, str]) -> None:
        """Call classes as they are called now."""
        for sample_id, given in self.by_image.items():
            self.by_image[sample_id] = tuple(
                replace(
                    one,
                    label=names.get(one.label, one.label),
                    automatic=names.get(one.automatic, one.automatic),
                )
                for one in given
            )

    def paid(self) -> Counter[Paid]:
        """What the reviews are paid as: each person's word on each image once."""
        return Counter(Paid(review.label, review.annotator) for review in self._all())

    @property
    def n_given(self) -> int:
        """Reviews by all people."""
        return sum(len(given) for given in self.by_image.values())

    def _all(self) -> Iterator[Review]:
        return (review for given in self.by_image.values() for review in given)
