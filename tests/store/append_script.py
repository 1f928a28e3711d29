"""Appends events one by one and prints each that is acknowledged: `append_script.py JOURNAL COUNT`.

With `--array` each event names an array that was stored first; with `--retry` a failure is tried again.
Events have keys, so a second run goes on where the first one ended.
"""

import os
import sys
from pathlib import Path

import numpy as np

from budgetal.errors import StorageError
from budgetal.store import ArrayStore, NewEvent, open_store


def run(journal: Path, count: int, *, acknowledge, with_arrays: bool = False, retry: bool = False) -> None:
    store = open_store(journal, create=True)
    arrays = ArrayStore(journal.parent / "arrays") if with_arrays else None
    for number in range(count):
        ref = None if arrays is None else arrays.put(np.full(100, number), "numbers")
        event = NewEvent("number", {"number": number, "ref": ref}, f"key-{number}")
        try:
            seq = append(store, event)
        except StorageError:
            if not retry:
                raise
            seq = append(store, event)
        acknowledge(f"{seq} {number} {ref}\n")
    store.close()


def append(store, event: NewEvent) -> int:
    with store.transaction() as transaction:
        return transaction.append([event])[0].seq


if __name__ == "__main__":
    run(
        Path(sys.argv[1]),
        int(sys.argv[2]),
        # One call a line, so that an acknowledgement is whole or not there.
        acknowledge=lambda line: os.write(1, line.encode()),
        with_arrays="--array" in sys.argv,
        retry="--retry" in sys.argv,
    )
