"""Fitting a classifier on what is labelled."""
