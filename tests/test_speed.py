"""How fast a job goes, and how long it still takes."""

import pytest

from budgetal.speed import Speed


def seen(*observations):
    speed = Speed()
    for observation in observations:
        speed = speed.after(*observation)
    return speed


def test_speed_and_time_left_follow_from_the_parts_done():
    speed = seen(("embedding images", 0, 1000, 10.0), ("embedding images", 200, 1000, 14.0))
    assert (speed.per_s, speed.left_s) == (50.0, 16.0)


def test_what_was_done_before_the_first_observation_does_not_count():
    speed = seen(("training", 7, 15, 100.0), ("training", 9, 15, 104.0))
    assert (speed.per_s, speed.left_s) == (0.5, 12.0)


@pytest.mark.parametrize(
    "observations",
    [
        [],
        [("training", 1, 15, 3.0)],
        [("training", 1, 15, 3.0), ("training", 1, 15, 9.0)],
        [("training", 1, 15, 3.0), ("training", 2, 15, 3.0)],
        [("training", 9, 15, 3.0), ("predicting", 10, 15, 4.0)],
        [("training", 9, 15, 3.0), ("training", 1, 15, 4.0)],
        [("training", 1, 15, 3.0), ("training", 2, 20, 4.0)],
    ],
)
def test_nothing_is_said_before_two_observations_of_one_job(observations):
    speed = seen(*observations)
    assert (speed.per_s, speed.left_s) == (None, None)


def test_at_the_end_nothing_is_left():
    assert seen(("training", 1, 3, 1.0), ("training", 3, 3, 2.0)).left_s == 0
