"""The parts of benchmarks/label_efficiency.py: what is compared, made-harder collections, and what is required."""
