"""What labels cost, and the refusal to spend more."""
