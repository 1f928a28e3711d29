"""What a state is made of: frozen records of labels, arrays and rounds."""

from dataclasses import dataclass

from budgetal.types import EpochRecord

GIVEN = 0
"""The query id of labels that came with the collection and cost nothing."""


@dataclass(frozen=True)
class HumanLabel:
    """The label of one image as a person gave it last; of several people's, the one that most gave.

    In a tie the earliest counts. annotator: the first who gave it; query_id: where the image was asked first.
    suggestion: the model's guess that they were shown with the image, if they were.
    """

    label: str
    annotator: str
    query_id: int
    suggestion: str | None = None


@dataclass(frozen=True)
class AutoLabelRef:
    """The automatic labels of one round: a stored array, and how many came and went. seq: of their event.

    n_human: labels by people at that event, none of which is of an image among these.
    """

    ref: str
    n: int
    n_added: int
    n_taken_back: int
    seq: int = 0
    n_human: int = 0


@dataclass(frozen=True)
class OutliersRef:
    """How probably each image is none of the classes: a stored array, and above what it is ruled out."""

    scores: str
    threshold: float


@dataclass(frozen=True)
class RoundRecord:
    """What one finished round measured."""

    round: int
    n_human: int
    n_auto: int
    coverage: float
    train_loss: float
    audit_accuracy: float | None
    test_accuracy: float | None
    upper_bound: float | None
    spent: float
    seconds: float
    agreement: float | None = None
    n_taken_back: int = 0
    epochs: tuple[EpochRecord, ...] = ()
