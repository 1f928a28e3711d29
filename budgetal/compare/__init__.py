"""Systems compared on the same data with the same seeds: what to run, the runs, and what they say."""
