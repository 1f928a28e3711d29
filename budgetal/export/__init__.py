"""Labels out of a project, with their provenance, as CSV, JSON lines, Parquet or a folder a class."""

# Importing a format registers it.
from budgetal.export import csv_file, imagefolder, jsonl_file, parquet_file  # noqa: F401
from budgetal.export.labels import EXPORTERS, LabelRow, export_labels

__all__ = ["EXPORTERS", "LabelRow", "export_labels"]
