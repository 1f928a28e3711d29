"""Where fit and predict run."""
