"""Terms as people set them."""

from dataclasses import replace

import pytest

from parkade.adapters.memory.terms import MemoryTermsStore
from parkade.domain.errors import InvalidInput, LeaseNotFound, VersionConflict
from parkade.domain.terms import Keep, Terms
from parkade.services.terms import TermsBook
from tests.builders import minutes
from tests.services.world import World

KEEP = Keep(by=minutes(15), when_left=minutes(5), at_most=minutes(120))


def a_book(world):
    store = MemoryTermsStore(world.history, world.book)
    return TermsBook(store, book=world.book, clock=world.clock, changed=world.nudge)


def test_terms_are_told_by_endpoint_with_the_event_that_says_who_and_what():
    world = World()
    world.add()
    book = a_book(world)
    assert book.get("falcon") is None
    before = world.nudges
    stored = book.put(Terms(endpoint_name="falcon", maintain=True, keep=KEEP), "ann")
    assert world.nudges == before + 1
    assert book.get("falcon") == stored
    assert book.by_endpoint() == {"falcon": stored}
    [event] = world.events("falcon", "terms.set")
    assert event.actor == "ann"
    assert event.reason == (
        "the maintainer watches it; use adds 15 min when 5 min are left, for at most 2 h"
    )
    assert event.data["keep"] == {
        "by_minutes": 15,
        "when_left_minutes": 5,
        "at_most_minutes": 120,
    }


def test_change_decides_again_where_another_write_came_first():
    world = World()
    world.add()
    book = a_book(world)
    seen = []

    def decide(held):
        if not seen:
            book.put(replace(held, maintain=True), "bob")
        seen.append(held.version)
        return replace(held, keep=KEEP)

    changed = book.change("falcon", "ann", decide)
    assert seen == [0, 1]
    assert (changed.maintain, changed.keep, changed.version) == (True, KEEP, 2)


def test_a_change_that_changes_nothing_writes_nothing():
    world = World()
    world.add()
    book = a_book(world)
    book.put(Terms(endpoint_name="falcon", maintain=True), "ann")
    before = (world.nudges, world.events())
    book.change("falcon", "ann", lambda held: replace(held, maintain=True))
    assert (world.nudges, world.events()) == before


def test_cleared_terms_say_nothing_and_keep_counting():
    world = World()
    world.add()
    book = a_book(world)
    first = book.put(Terms(endpoint_name="falcon", maintain=True), "ann")
    book.clear("falcon", "ann")
    book.clear("falcon", "ann")
    assert book.get("falcon") is None
    assert book.by_endpoint() == {}
    assert [event.reason for event in world.events("falcon", "terms.set")][1:] == [
        "nothing is settled any more"
    ]
    with pytest.raises(VersionConflict):
        book.put(first, "ann")


def test_nothing_is_settled_about_an_endpoint_without_a_lease():
    world = World()
    with pytest.raises(LeaseNotFound, match="falcon"):
        a_book(world).put(Terms(endpoint_name="falcon", maintain=True), "ann")


@pytest.mark.parametrize("part", ["by", "when_left", "at_most"])
def test_keep_of_no_time_is_refused(part):
    with pytest.raises(InvalidInput, match=rf"keep\.{part}"):
        replace(KEEP, **{part: minutes(0)})
