"""Tests mirror the floors; shared builders are in `tests.builders`."""
