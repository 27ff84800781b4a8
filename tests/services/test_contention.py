"""Deciding again, by several threads at once."""

import threading
import time
from types import SimpleNamespace

import pytest
import tenacity

from parkade.domain.errors import VersionConflict
from parkade.services.contention import contended
from tests.house import PATIENCE


@contended
def decide(races):
    """Lose these races; each is called when it is lost."""
    if races:
        races.pop()()
        raise VersionConflict("somebody else was first")
    return "decided"


def lost():
    """Nothing else happens."""


def test_a_race_that_is_lost_is_decided_again():
    assert decide([lost] * 3) == "decided"


def test_one_that_is_always_lost_is_told():
    races = [lost] * 1000
    with pytest.raises(VersionConflict, match="somebody else was first"):
        decide(races)
    assert len(races) == 900


def test_one_that_begins_does_not_disturb_one_that_goes_on(monkeypatch):
    begins, over = threading.Event(), threading.Event()

    def monotonic():
        if threading.current_thread() is beginner and not begins.is_set():
            begins.set()
            assert over.wait(PATIENCE)
        return time.monotonic()

    def begin():
        beginner.start()
        assert begins.wait(PATIENCE)

    monkeypatch.setattr(tenacity, "time", SimpleNamespace(monotonic=monotonic))
    beginner = threading.Thread(target=decide, args=[[]])
    try:
        assert decide([lost, begin]) == "decided"
    finally:
        over.set()
        beginner.join()
