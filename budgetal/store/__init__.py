"""The append-only journal and the arrays beside it."""

from budgetal.store.arrays import ArrayStore
from budgetal.store.events import Event, NewEvent
from budgetal.store.opening import open_store
from budgetal.store.store import Store, Transaction

__all__ = ["ArrayStore", "Event", "NewEvent", "Store", "Transaction", "open_store"]
