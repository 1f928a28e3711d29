"""Checks every array shape that measures and query declare, in every test."""

from jaxtyping import install_import_hook

install_import_hook(["budgetal.measures", "budgetal.query"], "runtime_types.checked")
