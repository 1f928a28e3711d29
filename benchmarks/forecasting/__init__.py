"""The parts of benchmarks/forecast.py: learning curves of whole runs, and the test of forecasts on them."""
