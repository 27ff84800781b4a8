"""The contract of the tester store."""

from dataclasses import replace

import pytest

from parkade.domain import errors
from parkade.domain.errors import Unreadable, VersionConflict
from parkade.domain.tester.tester import Run, Verdict
from tests.builders import NOW, a_tester, an_event, minutes
from tests.ports.stores import kinds_of

RUN = Run(
    began_at=NOW,
    ended_at=NOW + minutes(1),
    verdict=Verdict.FAILED,
    reason="of 3 calls 1 with an error",
    by="schedule",
    report={"passed": False, "cases": [{"case": "a", "p50_ms": 1.25, "p99_ms": None}]},
)
SKIPPED = replace(RUN, verdict=Verdict.SKIPPED, reason="text is asleep", report={})


def test_what_was_put_is_had_with_its_version(store):
    plain = store.testers.put(a_tester("b"), an_event("tester.set"))
    told = store.testers.put(a_tester("a", last=RUN, skipped=SKIPPED))
    assert plain == replace(a_tester("b"), version=1)
    assert store.testers.get("b") == plain
    assert store.testers.get("a") == told
    listing = store.testers.all()
    assert list(listing.records) == [told, plain]
    assert not listing.unreadable
    assert kinds_of(store.history) == ["tester.set"]


def test_a_write_needs_the_version_that_is_held(store):
    first = store.testers.put(a_tester())
    second = store.testers.put(replace(first, last=RUN))
    assert second.version == 2
    for late in (first, a_tester()):
        with pytest.raises(VersionConflict):
            store.testers.put(late, an_event("tester.set"))
    with pytest.raises(VersionConflict):
        store.testers.put(replace(a_tester("new"), version=1), an_event())
    assert store.testers.get(first.name) == second
    assert kinds_of(store.history) == []


def test_remove_forgets_it(store):
    store.testers.put(a_tester())
    store.testers.remove("demo-tester", an_event("tester.removed"))
    assert store.testers.all().records == ()
    assert kinds_of(store.history) == ["tester.removed"]


def test_what_is_not_there_cannot_be_had_or_removed(store):
    with pytest.raises(errors.TesterNotFound):
        store.testers.get("demo-tester")
    with pytest.raises(errors.TesterNotFound):
        store.testers.remove("demo-tester", an_event())
    assert kinds_of(store.history) == []


def test_a_damaged_tester_is_told_apart_and_can_be_removed(store):
    held = store.testers.put(a_tester())
    other = store.testers.put(a_tester("other"))
    store.damage_tester(held.name)
    with pytest.raises(Unreadable, match=held.name):
        store.testers.get(held.name)
    with pytest.raises(Unreadable):
        store.testers.put(held, an_event())
    listing = store.testers.all()
    assert listing.records == (other,)
    assert held.name in listing.unreadable[held.name]
    store.testers.remove(held.name, an_event("tester.removed"))
    assert store.testers.all().records == (other,)
