"""What a round is measured by: how much is labelled, and how right its model is."""

from dataclasses import dataclass

import numpy as np

from budgetal.annotators.budget_annotator import AutoLabels
from budgetal.answers import classed, targets_of
from budgetal.config import class_named
from budgetal.data.pool import Pool
from budgetal.metrics import accuracy
from budgetal.state import State
from budgetal.types import FittedModel, Json, Prediction
from budgetal.workspace import Workspace


@dataclass(frozen=True)
class Measuring:
    """The figures of one project's rounds."""

    space: Workspace
    pool: Pool

    def figures(self, state: State, model: FittedModel, prediction: Prediction, labels: AutoLabels) -> dict[str, Json]:
        """All but its number and its time. prediction: of the pool by `model`."""
        n_auto, n_human = len(labels.rows), len(state.labels)
        certificate = labels.certificate
        return {
            "n_human": n_human,
            "n_auto": n_auto,
            "coverage": (n_human + n_auto) / len(self.pool),
            "train_loss": model.train_loss,
            "audit_accuracy": self._audit_accuracy(state, prediction),
            "upper_bound": certificate.upper_bound if certificate else None,
            "spent": state.ledger.spent_money,
            "agreement": self._agreement(state, prediction),
            "test_accuracy": self._test_accuracy(model),
        }

    def _audit_accuracy(self, state: State, prediction: Prediction) -> float | None:
        """Accuracy on the audit's images of the classes: never trained on, so unbiased for the collection at hand."""
        answered = classed(state, state.first_audit)
        if not answered:
            return None
        predicted = prediction.probs[self.pool.rows(answered)].argmax(axis=1)
        return accuracy(targets_of(state, answered), predicted)

    def _test_accuracy(self, model: FittedModel) -> float | None:
        test = self.space.test
        if test is None:
            return None
        probs = self.space.engine.predict(model, test.pixels, "test").probs
        classes = {name: index for index, name in enumerate(self.space.config.classes)}
        named = (class_named(self.space.config, str(sample.label)) for sample in test.samples)
        targets = np.array([classes.get(name, -1) for name in named])
        known = targets >= 0
        return accuracy(targets[known], probs.argmax(axis=1)[known])

    def _agreement(self, state: State, prediction: Prediction) -> float | None:
        """Share of images whose predicted class is that of the round before."""
        if state.probs_ref is None:
            return None
        before = self.space.arrays.get(state.probs_ref).argmax(axis=1)
        return accuracy(before, prediction.probs.argmax(axis=1))
