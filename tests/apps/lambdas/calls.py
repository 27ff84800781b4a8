"""Calls of functions, as Lambda makes them."""

from datetime import timedelta

from parkade.apps.lambdas.start import Call


def a_call(left=60.0):
    """One invocation with so many seconds left, or a function that tells how many."""
    tell = left if callable(left) else lambda: left
    return Call("11111111-2222-3333-4444-555555555555", lambda: timedelta(seconds=tell()))
