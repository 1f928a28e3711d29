"""What labels cost, the refusal to spend more, and what more of them would buy."""
