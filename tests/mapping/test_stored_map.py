"""Where a map is kept, and what becomes of a lost, damaged or replaced one."""

import numpy as np
import pytest

from budgetal.errors import StorageError
from budgetal.mapping import MapFolder
from budgetal.mapping.stored import MOST_POINTS, rows_shown

POINTS = np.arange(20, dtype=np.float32).reshape(10, 2)
ROWS = np.arange(10)


def put(maps, points=POINTS, rows=ROWS, *, done=True):
    maps.put(points, rows, "embeddings-x", 3, 1.5, done=done)


def test_a_map_is_read_as_it_was_put(tmp_path):
    maps = MapFolder(tmp_path)
    assert maps.newest() is None
    put(maps)
    found = MapFolder(tmp_path).newest()
    assert (found.of, found.round, found.seconds, found.is_finished) == ("embeddings-x", 3, 1.5, True)
    assert np.array_equal(maps.points(found), POINTS)
    assert np.array_equal(maps.rows(found), ROWS)


def test_the_map_before_can_still_be_read_and_the_one_before_that_is_removed(tmp_path):
    maps = MapFolder(tmp_path)
    found = []
    for step in range(3):
        put(maps, POINTS + step)
        found.append(maps.newest())
    assert np.array_equal(maps.points(found[1]), POINTS + 1)
    with pytest.raises(StorageError):
        maps.points(found[0])


def test_the_next_map_starts_from_a_finished_one_of_the_same_rows_only(tmp_path):
    maps = MapFolder(tmp_path)
    assert maps.start(ROWS) is None
    put(maps, done=False)
    assert maps.start(ROWS) is None
    put(maps)
    assert np.array_equal(maps.start(ROWS), POINTS)
    assert maps.start(ROWS[:-1]) is None


def test_a_damaged_map_is_no_start_and_is_not_shown(tmp_path):
    maps = MapFolder(tmp_path)
    put(maps)
    path = tmp_path / "cache" / "map" / maps.newest().points
    path.write_bytes(path.read_bytes()[:-1])
    again = MapFolder(tmp_path)
    assert again.start(ROWS) is None
    with pytest.raises(StorageError, match="damaged"):
        again.points(again.newest())


@pytest.mark.parametrize("content", ["", "{", "[]", '{"points": 1}', "null"])
def test_what_cannot_be_read_is_no_map(tmp_path, content):
    maps = MapFolder(tmp_path)
    (tmp_path / "cache" / "map" / "map.json").write_text(content)
    assert maps.newest() is None


def test_a_large_collection_is_shown_by_images_drawn_at_random_once(tmp_path):
    rows = rows_shown(MOST_POINTS + 1000, np.random.default_rng(0))
    assert len(rows) == len(np.unique(rows)) == MOST_POINTS
    assert (np.diff(rows) > 0).all()
    assert np.array_equal(rows, rows_shown(MOST_POINTS + 1000, np.random.default_rng(0)))
    assert np.array_equal(rows_shown(5, np.random.default_rng(0)), np.arange(5))
