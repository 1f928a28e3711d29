"""Which images may be asked with the model's help, and which people answer blind.

Help is the model's guess, a grid of look-alikes with theirs, or the reason why an image was asked. It moves people's
answers, so an audit image never has any: the audit says what people see by themselves. Whoever is helped with an image
knows that it is none of the audit; so that the reverse tells little, other images are kept blind too, by a coin that
knows nothing of the audit: every fifth query, every tenth image of the others, and all further opinions.
"""

from budgetal.seeding import generator
from budgetal.state import State

BLIND_QUERIES = 0.2
"""Share of the ordinary queries that are asked without help, whole: an audit comes in such a stretch."""
BLIND_IMAGES = 0.1
"""Share of the images of other queries that are asked without help: an audit image may come late and alone."""


def may_be_helped(state: State, sample_id: str, query_id: int) -> bool:
    """Whether an image that `query_id` asks about may be shown with the model's help. It stays so for good."""
    query = state.queries.get(query_id)
    if query is None or query.purpose not in ("initial", "round") or state.is_audit(sample_id):
        return False
    return not is_kept_blind(state.settings.seed, query_id, sample_id)


def is_kept_blind(seed: int, query_id: int, sample_id: str) -> bool:
    """The coin, for an image of an ordinary query: the same in every process, and blind to what is in the audit."""
    if generator(seed, query_id, "blind query").random() < BLIND_QUERIES:
        return True
    return bool(generator(seed, query_id, f"blind {sample_id}").random() < BLIND_IMAGES)
