"""Who gives labels: people, an oracle, or the budget annotator with its certificate."""
