"""Label a large image collection on a small human budget, and know how good the labels are."""

import os

# Read when torch starts its threads. By default they spin while they wait for one another, which on shared
# processors (a learner beside a web server) makes a network several times as slow as sleeping does.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
