"""Label a large image collection on a small human budget, and know how good the labels are."""
