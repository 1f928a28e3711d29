"""The checker of types at run time: an int passes for a float, as PEP 484 and mypy have it."""

from beartype import BeartypeConf, beartype

checked = beartype(conf=BeartypeConf(is_pep484_tower=True))
