"""Starts are not looked through for reference cycles, and what comes after them is."""

import gc

import pytest

from parkade.apps.collecting import uncollected


def test_nothing_is_collected_meanwhile_and_what_is_there_by_then_never():
    frozen = gc.get_freeze_count()
    with uncollected():
        assert not gc.isenabled()
        kept = [[] for _ in range(1000)]
    assert gc.isenabled()
    assert gc.get_freeze_count() >= frozen + len(kept)


def test_a_start_that_fails_leaves_the_collector_on():
    with pytest.raises(ZeroDivisionError), uncollected():
        raise ZeroDivisionError
    assert gc.isenabled()
