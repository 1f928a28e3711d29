"""Parts of selection_speed.py: made-up data, one measurement a process, peers, the machine's limits, tables."""
