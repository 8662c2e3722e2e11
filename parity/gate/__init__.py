"""Checks a change before it is merged, and an installation before anything runs."""
