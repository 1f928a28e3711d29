"""A map of the images: points in the plane, near one another where the model sees their images as alike."""

from budgetal.mapping.cartographer import Cartographer
from budgetal.mapping.interest import MapProgress, look_again, map_progress
from budgetal.mapping.marks import Known, Marks, known_of, marks_of, uncertainty_of
from budgetal.mapping.stored import MapFolder, StoredMap

__all__ = [
    "Cartographer",
    "Known",
    "MapFolder",
    "MapProgress",
    "Marks",
    "StoredMap",
    "known_of",
    "look_again",
    "map_progress",
    "marks_of",
    "uncertainty_of",
]
