from budgetal.testing.pools import *
from budgetal.testing.pools import FLOAT_FIELDS, make_pool, pick, picked_ids, unit_rows, unlabelled
from budgetal.testing import StrategyContract
