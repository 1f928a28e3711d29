"""Co-training: a last layer on frozen features teaches a small network, whose features then join the frozen ones.

One round, from the human labels alone:

1. a last layer on the frozen features (and on those of the last round's student) gives soft labels of the whole pool;
2. the student learns them on distorted images, human labels in their places (training.distil);
3. the last layer is fitted again, on the frozen and the student's features together.

The two see the images differently, as in Blum & Mitchell (COLT 1998): frozen features know the world, the student knows
this collection. Images of the audit are treated like all others, and their answers play no part.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from budgetal import seeding
from budgetal.config import Unlabelled
from budgetal.engine.finetuning import human_part
from budgetal.engine.head_round import default_l2, fit_calibrated_head
from budgetal.engine.pool_labels import propagated
from budgetal.models.backbones import build_classifier, default_input_size, side_by_side
from budgetal.models.calibration import softmax
from budgetal.models.classifier import Classifier
from budgetal.models.compute import default_device
from budgetal.models.joined import JOINT, Part, is_joined, parts_of
from budgetal.models.predict import OnProgress, Views, embed
from budgetal.models.unfolding import unfold
from budgetal.training.checkpoint import Checkpoint
from budgetal.training.columns import Columns
from budgetal.training.consistency import consistency_term
from budgetal.training.distil import Lesson, SoftLabels, distil
from budgetal.training.distort import Distortion
from budgetal.training.head import Floats, Head, standardisation
from budgetal.training.loop import finetune
from budgetal.training.recipe import Recipe
from budgetal.types import EpochRecord, PixelSource, RowArray, TrainingSet

KEPT_APART = 0.1
"""Share of human labels that no student is told, in any round: they set the temperature."""
HUMAN_WEIGHT = 2.0
"""Of a human label in the student's loss; that of a soft one is 1."""
PENALTY_TIMES = 2.0
"""Against the frozen head's penalty: joined features are several times as many."""
STUDENT_RECIPE = Recipe(
    epochs=1, learning_rate=0.03, batch=32, momentum=0.9, weight_decay=5e-4, warm_up=0.1, cosine=True, average=0.99
)
"""Of a student that learns its own sure answers, after Sohn et al. (2020)."""
HEAD, STUDENT = "head.", "student."

Tensors = Mapping[str, Tensor]


@dataclass(frozen=True)
class Cotraining:
    """The settings of one project's co-training. side: of the pool's images; views as in models.predict.embed."""

    network: str
    weights: str
    epochs: int
    n_classes: int
    side: int
    views: Views
    mirror: bool
    seed: int
    on_progress: OnProgress | None = None
    unlabelled: Unlabelled = "pseudo_labels"

    @property
    def student_side(self) -> int:
        """Pixels a side of the student's input."""
        return default_input_size(self.network, self.side)

    def student(self, tensors: Tensors | None = None) -> Classifier:
        """The student with these weights; None: as it was pre-trained."""
        rng = seeding.generator(self.seed, 0, "student")
        weights = self.weights if tensors is None else "none"
        built = build_classifier(self.network, weights, self.n_classes, rng)
        if tensors is not None:
            built.load_state_dict(_under(STUDENT, tensors))
        return built.to(default_device())

    def features(self, frozen: Floats, student: Classifier, pixels: PixelSource) -> Columns:
        """Frozen features (n, d) and the student's of the same images."""
        seen = embed(student, pixels, side=self.student_side, on_progress=self.on_progress, views=self.views)
        return Columns((frozen, seen))

    def fit(
        self,
        training_set: TrainingSet,
        pixels: PixelSource,
        before: Columns,
        start: Tensors | None,
        *,
        rng: np.random.Generator,
        on_epoch: Callable[[EpochRecord], None],
        checkpoint: Checkpoint | None,
    ) -> tuple[dict[str, Tensor], Columns, float, tuple[EpochRecord, ...]]:
        """One round: tensors of the model, its features of the pool, its temperature, the student's epochs.

        before: what last round's model sees, or the frozen features alone; start: last round's tensors, if any.
        """
        # Without automatic labels: the student's soft ones are more of the same, with all their doubt.
        humans = human_part(training_set)
        apart = kept_apart(self.seed, humans.rows, len(pixels))
        student = self.student(start)
        if start is None:
            unfold(student, (student.backbone,), pixels, self.student_side)
        hearing: dict[str, Any] = {"rng": rng, "on_epoch": on_epoch, "checkpoint": checkpoint}
        # A student that is told no label has no answer to be sure of: soft ones teach it until it is told one.
        if self.unlabelled in ("fixmatch", "flexmatch") and not apart.all():
            records = self._match(student, humans, apart, pixels, **hearing)
        else:
            labels = self._pool_labels(before, humans, apart, rng)
            lesson = Lesson(pixels, labels, self.student_side, Distortion(mirror=self.mirror))
            records = distil(student, lesson, epochs=self.epochs, **hearing)
        after = self.features(before.parts[0], student, pixels)
        head, temperature = _fit_head(after, humans, apart, rng)
        return _tensors(head, student), after, temperature, records

    def _pool_labels(
        self, before: Columns, humans: TrainingSet, apart: NDArray[np.bool_], rng: np.random.Generator
    ) -> SoftLabels:
        """What the student is told of each image of the pool."""
        if self.unlabelled == "propagation":
            return _with_answers(*propagated(before.parts[-1], humans, ~apart), humans, apart)
        teacher, temperature = _fit_head(before, humans, apart, rng)
        probs = softmax(teacher.logits(before), temperature)
        return _with_answers(probs, np.ones(len(probs), np.float32), humans, apart)

    def _match(
        self, student: Classifier, humans: TrainingSet, apart: NDArray[np.bool_], pixels: PixelSource, **hearing: Any
    ) -> tuple[EpochRecord, ...]:
        """Train the student on the human labels that it is told, and on its own sure answers for the pool."""
        side, flexible = self.student_side, self.unlabelled == "flexmatch"
        term = consistency_term(pixels, side, mirror=self.mirror, n_classes=self.n_classes, flexible=flexible)
        weights = np.where(apart, 0, humans.weights).astype(np.float32)
        told = replace(humans, weights=weights)
        recipe = replace(STUDENT_RECIPE, epochs=self.epochs)
        settings: dict[str, Any] = {"finetune": "full", "recipe": recipe, "flip": self.mirror, "term": term}
        return finetune(student, pixels, told, side=side, **settings, **hearing)

    def joined_name(self, backbone: str) -> str:
        """Name of the frozen backbone and the student as one network, each with its size."""
        parts = [
            replace(part, side=part.side or default_input_size(part.name, self.side)) for part in parts_of(backbone)
        ]
        if len(parts) == 1 and not is_joined(backbone):
            parts = [replace(parts[0], side=self.side)]
        return JOINT.join(str(part) for part in (*parts, Part(self.network, self.student_side)))

    def joined(self, frozen: Classifier, tensors: Tensors) -> Classifier:
        """One classifier of the frozen backbone, the student and the last layer on both."""
        backbone, expected = side_by_side(frozen, self.side, self.student(tensors), self.student_side)
        weight, bias = head_of(tensors).folded()
        last = nn.Linear(*reversed(weight.shape))
        last.load_state_dict({"weight": torch.from_numpy(weight), "bias": torch.from_numpy(bias)})
        return Classifier(backbone, last, expected).eval()


def kept_apart(seed: int, rows: RowArray, n_images: int) -> NDArray[np.bool_]:
    """Which of the labelled `rows` are kept apart: the same ones in every round, since a student never forgets."""
    draws = seeding.generator(seed, 0, "calibration").random(n_images)
    kept: NDArray[np.bool_] = draws[rows] < KEPT_APART
    return kept


def head_of(tensors: Tensors) -> Head:
    """The last layer among a model's tensors."""
    return Head(**{name: tensor.numpy() for name, tensor in _under(HEAD, tensors).items()})


def _fit_head(
    features: Columns, humans: TrainingSet, apart: NDArray[np.bool_], rng: np.random.Generator
) -> tuple[Head, float]:
    means, deviations = zip(*(standardisation(part) for part in features.parts), strict=True)
    head, temperature, _ = fit_calibrated_head(
        features[humans.rows],
        humans,
        np.concatenate(means),
        np.concatenate(deviations),
        rng=rng,
        on_epoch=lambda _: None,
        l2=PENALTY_TIMES * default_l2(humans.n_human),
        calibration=apart,
    )
    return head, temperature


def _with_answers(probs: Floats, weights: Floats, humans: TrainingSet, apart: NDArray[np.bool_]) -> SoftLabels:
    """Probabilities (N, m) and weights (N,) of the pool, with people's answers in their places."""
    told = humans.rows[~apart]
    probs[told] = np.eye(humans.n_classes, dtype=np.float32)[humans.targets[~apart]]
    weights[told] = HUMAN_WEIGHT
    # What the head of their own labels says of those kept apart would tell the student after all.
    weights[humans.rows[apart]] = 0.0
    return SoftLabels(probs, weights)


def _tensors(head: Head, student: Classifier) -> dict[str, Tensor]:
    tensors = {HEAD + name: torch.from_numpy(array) for name, array in vars(head).items()}
    return tensors | {STUDENT + name: tensor for name, tensor in student.state_dict().items()}


def _under(prefix: str, tensors: Tensors) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
