"""A folder or manifest read as a stream: which of its images are worth a label."""

from budgetal.streaming.run import OnProgress, StreamJob, run_stream

__all__ = ["OnProgress", "StreamJob", "run_stream"]
