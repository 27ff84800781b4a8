"""Pins and times to live of target models."""

import pytest

from parkade.adapters.memory.clock import ManualClock
from parkade.adapters.memory.events import MemoryHistory
from parkade.adapters.memory.targets import MemoryTargetStore
from parkade.domain.errors import InvalidInput
from parkade.services.targets import Targets
from tests.builders import NOW
from tests.ports.stores import kinds_of


@pytest.fixture
def history():
    return MemoryHistory()


@pytest.fixture
def store(history):
    return MemoryTargetStore(history)


@pytest.fixture
def targets(store):
    return Targets(store, clock=ManualClock(NOW))


def test_a_pin_is_kept_with_who_asked_for_it(targets, store, history):
    setting = targets.pin("many", "/a/b.tar.gz", pinned=True, actor="ann")
    assert targets.of("many", "a/b.tar.gz") == setting
    assert setting.pinned
    assert Targets(store, clock=ManualClock(NOW)).all() == (setting,)
    assert kinds_of(history) == ["target.set"]


def test_a_pin_and_a_time_to_live_keep_each_other(targets):
    targets.pin("many", "a", pinned=True, actor="ann")
    setting = targets.keep_for("many", "a", 5.0, "ann")
    assert (setting.pinned, setting.ttl_minutes) == (True, 5.0)
    assert not targets.pin("many", "a", pinned=False, actor="ann").pinned
    assert targets.of("many", "a").ttl_minutes == 5.0


def test_what_says_nothing_is_forgotten(targets):
    targets.pin("many", "a", pinned=True, actor="ann")
    targets.pin("many", "a", pinned=False, actor="ann")
    assert targets.all() == ()


def test_what_holds_already_is_no_event(targets, history):
    targets.pin("many", "a", pinned=False, actor="ann")
    targets.keep_for("many", "a", None, "ann")
    assert kinds_of(history) == []


@pytest.mark.parametrize("minutes", [0.0, -1.0])
def test_a_time_to_live_that_is_none(targets, minutes):
    with pytest.raises(InvalidInput, match="ttl_minutes"):
        targets.keep_for("many", "a", minutes, "ann")
