"""Images: decoding, content hashes, quarantine, collections and near-duplicates."""

from budgetal.data.collection import Collection
from budgetal.data.duplicates import near_duplicates
from budgetal.data.images import content_id, decode, thumbnail
from budgetal.data.index import load_index, save_index
from budgetal.data.labels import read_labels
from budgetal.data.sources import find_splits, load_collection

__all__ = [
    "Collection",
    "content_id",
    "decode",
    "find_splits",
    "load_collection",
    "load_index",
    "near_duplicates",
    "read_labels",
    "save_index",
    "thumbnail",
]
