"""Strategies of other libraries, to be named in place of ours: they run in the same loop on the same data."""

from budgetal.query.peers import scikit_activeml

__all__ = ["scikit_activeml"]
