"""What programs receive to watch a project: the map of the images, and where the model was wrong."""

from budgetal.web.strict import Record


class MapStep(Record):
    """The map that is being drawn: step `done` of `total`."""

    done: int
    total: int


class MapInfo(Record):
    """The map of the images. name: None when there is none yet; id_bytes: bytes of an image's id among the points.

    is_draft: it is the first one, as far as it is drawn; is_newest: it shows the newest model's view of the images.
    """

    name: str | None
    n_points: int
    n_samples: int
    id_bytes: int
    round: int | None
    is_newest: bool
    is_draft: bool
    can_be_drawn: bool
    is_off: bool
    drawing: MapStep | None
    sees_all: bool


class Confusion(Record):
    """counts: a row for each class that people named, a column for each that the model had guessed."""

    classes: list[str]
    counts: list[list[int]]
