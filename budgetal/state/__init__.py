"""The state of a project: a fold of its journal and of nothing else."""

from budgetal.state.folding import HANDLERS, fold
from budgetal.state.holding import State
from budgetal.state.records import GIVEN, AutoLabelRef, HumanLabel, OutliersRef, RoundRecord

__all__ = ["GIVEN", "HANDLERS", "AutoLabelRef", "HumanLabel", "OutliersRef", "RoundRecord", "State", "fold"]
