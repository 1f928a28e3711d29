"""`skactiveml:Badge`: a pool strategy of scikit-activeml by its class, with arguments where it has any.

It sees what ours see: embeddings, the model's probabilities, labels. Its constructor gets arguments as in
`skactiveml:UncertaintySampling(method="entropy")`. Source: Kottke et al., scikit-activeml: A Library and Toolbox for
Active Learning, 2021.
"""

import ast
import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from budgetal.errors import ConfigError
from budgetal.query.needs import Need
from budgetal.query.strategy import RegisteredStrategy, strategies
from budgetal.query.view import PoolView, Selection
from budgetal.registry import unknown_name

PREFIX = "skactiveml:"
TAKES: Mapping[str, str] = {
    "Badge": "clf",
    "BatchBALD": "ensemble",
    "ContrastiveAL": "clf",
    "CoreSet": "",
    "CostEmbeddingAL": "",
    "Falcun": "clf",
    "GreedyBALD": "ensemble",
    "GreedySamplingX": "",
    "MaxHerding": "",
    "ProbCover": "",
    "QueryByCommittee": "ensemble",
    "Quire": "",
    "RandomSampling": "",
    "TypiClust": "",
    "UncertaintySampling": "clf",
}
"""Classes that can be named, and the argument of `query` by which each takes a model. The others want to fit a model of
their own kind, or regress."""


@strategies.register_prefix(PREFIX)
def from_name(name: str) -> RegisteredStrategy:
    """The strategy that `name` stands for.

    Raises ConfigError where scikit-activeml is not installed, has no such class, or wants what no run can give.
    """
    class_name, arguments = _parsed(name)
    made = _class_named(class_name)
    _check_arguments(name, made, arguments)
    adapter = _Adapter(made, arguments, TAKES[class_name])
    summary = f"scikit-activeml's {class_name}"
    return RegisteredStrategy(name, summary, adapter.needs, "scikit-activeml", "its own", adapter, prefix_stable=False)


@dataclass(frozen=True)
class _Adapter:
    """Calls a class of scikit-activeml as one of our strategies."""

    made: Any
    arguments: Mapping[str, Any]
    takes: str

    @property
    def needs(self) -> tuple[Need, ...]:
        """What it reads, under our names."""
        needs: tuple[Need, ...] = ("embeddings", "labelled_embeddings", "labelled_targets")
        if self.takes == "ensemble":
            return (*needs, "committee")
        return (*needs, "probs", "labelled_probs") if self.takes else needs

    def __call__(self, pool: PoolView, n: int, rng: np.random.Generator) -> Selection:
        images = torch.cat([pool.embeddings, pool.labelled_embeddings]).numpy()
        targets = np.full(len(images), np.nan)
        if pool.labelled_targets is not None:
            targets[len(pool) :] = pool.labelled_targets.numpy()
        query = self.made(**self._construction(pool, rng))
        rows, utilities = query.query(
            X=images, y=targets, batch_size=n, return_utilities=True, **self._models(images, pool)
        )
        scores = np.asarray(utilities)[np.arange(len(rows)), rows]
        # Where picks are not by a score, it answers with NaN or infinities, which say nothing.
        finite = np.nan_to_num(scores, nan=0.0, posinf=0.0, neginf=0.0).astype(np.float32)
        return Selection(rows=torch.from_numpy(np.asarray(rows, dtype=np.int64)), scores=torch.from_numpy(finite))

    def _construction(self, pool: PoolView, rng: np.random.Generator) -> dict[str, Any]:
        seed, classes = int(rng.integers(2**31)), np.arange(pool.n_classes)
        known = {"random_state": seed, "classes": classes, "n_classes": len(classes)}
        wanted = inspect.signature(self.made.__init__).parameters
        return {name: value for name, value in known.items() if name in wanted} | dict(self.arguments)

    def _models(self, images: NDArray[np.float32], pool: PoolView) -> dict[str, Any]:
        if self.takes == "clf" and pool.labelled_probs is not None:
            return {"clf": _given(images, torch.cat([pool.probs, pool.labelled_probs]).numpy()), "fit_clf": False}
        if self.takes == "ensemble" and pool.committee is not None:
            members = [_given(images[: len(pool)], probs.numpy()) for probs in pool.committee]
            return {"ensemble": members, "fit_ensemble": False}
        return {}


def _given(images: NDArray[np.float32], probs: NDArray[np.float32]) -> Any:
    """A classifier of scikit-activeml's that answers with the probabilities that our model gave these images."""
    from budgetal.query.peers.given_classifier import GivenClassifier

    return GivenClassifier(images, probs)


def _parsed(name: str) -> tuple[str, dict[str, Any]]:
    """ "skactiveml:Badge(a=1)" as ("Badge", {"a": 1})."""
    text = name.removeprefix(PREFIX)
    try:
        tree = ast.parse(text, mode="eval").body
        if isinstance(tree, ast.Name):
            return tree.id, {}
        if isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name) and not tree.args:
            return tree.func.id, {str(word.arg): ast.literal_eval(word.value) for word in tree.keywords}
    except (SyntaxError, ValueError):
        pass
    raise ConfigError(f"Cannot read strategy {name!r}: write {PREFIX}Badge or {PREFIX}Badge(argument=value)")


def _class_named(name: str) -> Any:
    try:
        from skactiveml import pool
    except ImportError:
        raise ConfigError(
            f"Strategy '{PREFIX}{name}' needs scikit-activeml: pip install 'budgetal[skactiveml]'"
        ) from None
    if name not in TAKES:
        raise ConfigError(unknown_name("class of scikit-activeml", name, list(TAKES)))
    return getattr(pool, name)


def _check_arguments(name: str, made: Any, arguments: Mapping[str, Any]) -> None:
    known = [word for word in inspect.signature(made.__init__).parameters if word != "self"]
    for word in arguments:
        if word not in known:
            raise ConfigError(unknown_name(f"argument of {name!r}", word, known))
