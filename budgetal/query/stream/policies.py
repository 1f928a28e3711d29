"""The rules by which a stream is sampled, each under the name that users give.

θ is kept as in its source, a bound on the confidence 1 - u. Decisions show it as a bound on the
uncertainty u, 1 - θ, so that higher means query first here as everywhere.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float
from torch import Tensor

from budgetal import measures
from budgetal.measures.checks import probabilities
from budgetal.registry import Registry


@dataclass(frozen=True)
class Tuning:
    """Numbers of the rules: budget `rate` B, `step` s, `deviation` of η, and the confidence `fixed` to θ."""

    rate: float
    step: float
    deviation: float
    fixed: float


@dataclass(frozen=True)
class Verdict:
    """Whether to query, the θ that was compared with (None: none was), and θ for the next image."""

    query: bool
    compared: float | None
    theta: float


@runtime_checkable
class Rule(Protocol):
    """Judges one image by the confidence 1 - u of the model. Called only while there is budget."""

    def __call__(self, confidence: float, theta: float, tuning: Tuning, rng: np.random.Generator) -> Verdict:
        """Return the verdict; randomness comes from `rng` only."""
        ...


Measure = Callable[[Float[Tensor, "n members classes"]], Float[Tensor, " n"]]


@dataclass(frozen=True)
class StreamPolicy:
    """A measure of each image, and the rule that compares it; no rule: the largest of each chunk."""

    name: str
    summary: str
    source: str
    measure: Measure
    rule: Rule | None
    min_members: int = 1


policies: Registry[StreamPolicy] = Registry("stream policy")


def least_confidence(probs: Float[Tensor, "n members classes"]) -> Float[Tensor, " n"]:
    """1 - p_1 of the members' mean probabilities (Settles 2009)."""
    return measures.least_confidence(probabilities(probs).mean(dim=1))


def ensemble_variance(probs: Float[Tensor, "n members classes"]) -> Float[Tensor, " n"]:
    """Variance of the members' probabilities, Σ_c mean_k (p_kc - mean_k p_kc)², in [0, 1/2].

    The minimum-variance principle of Zhu, Zhang, Lin & Shi, ICDM 2007: an ensemble errs by its variance,
    so the labels that lower it most are those of the images on which it is largest.
    Raises ValueError when `probs` are no probabilities.
    """
    checked = probabilities(probs)
    return (checked - checked.mean(dim=1, keepdim=True)).square().mean(dim=1).sum(dim=1)


def _policy(name: str, *, source: str) -> Callable[[Rule], Rule]:
    def add(rule: Rule) -> Rule:
        summary = (inspect.getdoc(rule) or "").partition("\n")[0]
        policies.register(name)(StreamPolicy(name, summary, source, least_confidence, rule))
        return rule

    return add


@_policy("random", source="Žliobaitė et al. 2014")
def random(confidence: float, theta: float, tuning: Tuning, rng: np.random.Generator) -> Verdict:
    """Each image with probability B: query if ξ < B, ξ uniform in [0, 1)."""
    return Verdict(bool(rng.random() < tuning.rate), None, theta)


@_policy("fixed_uncertainty", source="Žliobaitė et al. 2014")
def fixed_uncertainty(confidence: float, theta: float, tuning: Tuning, rng: np.random.Generator) -> Verdict:
    """Images of which the model is less sure than a fixed threshold: query if max_y p(y|x) < θ."""
    return Verdict(confidence < tuning.fixed, tuning.fixed, theta)


@_policy("variable_uncertainty", source="Žliobaitė et al. 2014")
def variable_uncertainty(confidence: float, theta: float, tuning: Tuning, rng: np.random.Generator) -> Verdict:
    """The least sure images of the time: query if max_y p(y|x) < θ, with θ that follows the stream.

    θ starts at 1 and becomes θ(1 - s) after a query, θ(1 + s) after none, so that a stream that gets
    easier or harder is asked about at the same pace.
    """
    return _followed(confidence, theta, theta, tuning)


@_policy("balanced_uncertainty", source="ours, after Žliobaitė et al. 2014 and Robbins & Monro 1951")
def balanced_uncertainty(confidence: float, theta: float, tuning: Tuning, rng: np.random.Generator) -> Verdict:
    """The least sure share B of the images of the time: query if max_y p(y|x) < θ, with θ at their quantile.

    θ becomes θ(1 - s(1 - B)) after a query, θ(1 + s B) after none: it rests where a share B is below it.
    The equal steps of variable_uncertainty rest where half of the images are, so that there the budget
    decides which of these are queried, by their place in the stream.
    """
    query = confidence < theta
    moved = 1 - tuning.step * (1 - tuning.rate) if query else 1 + tuning.step * tuning.rate
    return Verdict(query, theta, theta * moved)


@_policy("randomised_variable_uncertainty", source="Žliobaitė et al. 2014")
def randomised_variable_uncertainty(
    confidence: float, theta: float, tuning: Tuning, rng: np.random.Generator
) -> Verdict:
    """As variable_uncertainty, but now and then a sure image: query if max_y p(y|x) < θη, η ~ N(1, δ).

    A change far from the class boundary shows in images of which the model is sure.
    """
    return _followed(confidence, theta, theta * float(rng.normal(1, tuning.deviation)), tuning)


def _followed(confidence: float, theta: float, compared: float, tuning: Tuning) -> Verdict:
    query = confidence < compared
    return Verdict(query, compared, theta * (1 - tuning.step if query else 1 + tuning.step))


policies.register("variance")(
    StreamPolicy(
        "variance",
        "The images of each chunk on which the members of an ensemble differ most.",
        "Zhu et al. 2007",
        ensemble_variance,
        rule=None,
        min_members=2,
    )
)
