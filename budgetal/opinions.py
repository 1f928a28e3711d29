"""Several people's opinions of one image: which are due, who may give them, and what they take of the budget."""

from collections.abc import Iterable

from budgetal.budget.plan import labels_for_the_end
from budgetal.config import Config
from budgetal.errors import ConfigError
from budgetal.state import GIVEN, State
from budgetal.types import NONE_OF_THESE, Annotation


def opinions_a_training_image(config: Config) -> int:
    """Answers that every image to train on is to have."""
    return config.opinions_per_image


def opinions_an_audit_image(config: Config) -> int:
    """Answers that every audit image is to have."""
    return config.audit_opinions or config.opinions_per_image


def opinions_due(state: State) -> tuple[str, ...]:
    """Images that one more person is to be asked about, whatever was answered: those with too few opinions.

    Every audit image is asked as often, skipped ones too, so that audit answers do not decide how much of the budget
    is left to train on. As many as the budget allows without the labels kept for the end.
    """
    config = state.settings
    wanted = max(opinions_a_training_image(config), opinions_an_audit_image(config))
    if wanted == 1:
        return ()
    due = [*_due(state, state.audit, opinions_an_audit_image(config))]
    trained_on = (i for i, label in state.labels.items() if not state.is_audit(i) and label.query_id != GIVEN)
    due += _due(state, trained_on, opinions_a_training_image(config))
    return tuple(due[: max(0, state.ledger.available - kept_for_the_end(state))])


def kept_for_the_end(state: State) -> int:
    """Labels of `last_audit` that were not asked for yet; they certify, so nothing else may spend them.

    Where every image is labelled, all of them: a model that is trained after an audit needs another. So more budget
    prolongs the audit, unless there is enough of it for a whole new one and to train on.
    """
    wanted = labels_for_the_end(state.settings, state.n_samples)
    return wanted if state.settings.labels_everything else max(0, wanted - len(state.last_audit))


def _due(state: State, sample_ids: Iterable[str], wanted: int) -> Iterable[str]:
    return (i for i in sample_ids if i not in state.open_items and 1 + state.n_opinions_asked[i] < wanted)


def people_of(state: State, sample_id: str) -> tuple[str, ...]:
    """Who has answered an image, oldest first; a label that came with it is nobody's answer."""
    return tuple(answer.annotator for answer in state.answers_of(sample_id) if answer.query_id != GIVEN)


def is_asked_of_another(state: State, sample_id: str) -> bool:
    """Whether an image waits for the opinion of somebody who has not answered it."""
    return state.is_opinion(state.open_items.get(sample_id, GIVEN))


def none_to_ask_again(state: State) -> tuple[str, ...]:
    """Images that were answered "none of these", in the audit or not: which these are depends on the answer alone.

    Raises ConfigError where one was answered by several people, or is to be: to take one answer back leaves the others.
    """
    given = state.labels.items()
    none = tuple(i for i, label in given if label.label == NONE_OF_THESE and label.query_id != GIVEN)
    several = sum(len(state.answers_of(i)) > 1 or is_asked_of_another(state, i) for i in none)
    if several:
        raise ConfigError(
            f"Cannot ask again: {several} of the images that are none of the classes are asked of several people. "
            "Change the classes without asking again, and have their answers corrected"
        )
    return none


def was_skipped(state: State, sample_id: str) -> bool:
    """Whether an opinion of an image was asked for and nobody could give it."""
    return any(skipped == sample_id for skipped, _query in state.skipped_opinions)


def n_unasked(state: State, annotations: Iterable[Annotation]) -> int:
    """Opinions among these answers that no query has asked for, so that the budget has not reserved them."""
    new: dict[str, set[str]] = {}
    for annotation in annotations:
        sample_id = annotation.sample_id
        if sample_id in state.opinions or was_skipped(state, sample_id) or is_asked_of_another(state, sample_id):
            new.setdefault(sample_id, set()).add(annotation.annotator)
    return sum(
        max(0, len(people.difference(people_of(state, sample_id))) - _is_reserved(state, sample_id))
        for sample_id, people in new.items()
    )


def _is_reserved(state: State, sample_id: str) -> bool:
    """Whether the budget holds a label for one more answer for this image."""
    kept = was_skipped(state, sample_id) and state.is_audit(sample_id)
    return kept or sample_id in state.open_items
