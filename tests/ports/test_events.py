"""The contract of the history."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from parkade.ports.events import EventQuery
from tests.builders import NOW, a_lease, an_event, minutes


def numbers(events):
    return [event.number for event in events]


def places(store, events):
    """The places of events in the history, from 1 on: a store gives what numbers it likes."""
    known = numbers(store.history.read(EventQuery(limit=1000)))
    return [known.index(event.number) + 1 for event in events]


def numbered(store, query):
    """The query with the number of the event at the place that it says it is `after`."""
    known = numbers(store.history.read(EventQuery(limit=1000)))
    after = query.after and known[min(query.after, len(known)) - 1]
    return replace(query, after=after + max(0, query.after - len(known)))


@pytest.fixture
def history(store):
    """Six events."""
    for kind, name, age in (
        ("lease.added", "falcon", 5),
        ("lease.extended", "falcon", 4),
        ("leases.counted", "", 3),
        ("lease.added", "flan", 2),
        ("worker.died", "falcon", 1),
        ("lease", "flan", 0),
    ):
        store.history.append(an_event(kind, endpoint_name=name, at=NOW - minutes(age)))
    return store.history


def test_append_returns_the_event_with_a_rising_number(store):
    stored = [store.history.append(an_event()) for _ in range(3)]
    assert 0 < stored[0].number < stored[1].number < stored[2].number
    assert store.history.read(EventQuery()) == stored


def test_every_field_comes_back(store):
    event = an_event(
        at=NOW.replace(microsecond=123_457),
        actor="Jörg ✓",
        reason="a\nb\0c",
        data={"text": "ü", "number": 1.5, "nothing": None, "nested": {"list": [1, True]}},
    )
    stored = store.history.append(event)
    assert store.history.read(EventQuery()) == [stored]
    assert stored.data == event.data
    assert stored.at == event.at


def test_an_event_is_not_changed_with_what_it_was_made_from(store):
    data = {"list": [1]}
    store.history.append(an_event(data=data))
    data["list"].append(2)
    for query in (EventQuery(), EventQuery(endpoint_name="falcon")):
        assert store.history.read(query)[0].data == {"list": [1]}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (EventQuery(), [1, 2, 3, 4, 5, 6]),
        (EventQuery(endpoint_name="falcon"), [1, 2, 5]),
        (EventQuery(endpoint_name=""), [3]),
        (EventQuery(kinds=("lease.added",)), [1, 4]),
        (EventQuery(kinds=("lease.",)), [1, 2, 4]),
        (EventQuery(kinds=("lease",)), [6]),
        (EventQuery(kinds=("worker.", "lease.extended")), [2, 5]),
        (EventQuery(kinds=("lease._", "lease.%")), []),
        (EventQuery(after=4), [5, 6]),
        (EventQuery(after=99), []),
        (EventQuery(since=NOW - minutes(2)), [4, 5, 6]),
        (EventQuery(endpoint_name="falcon", kinds=("lease.",), after=1), [2]),
        (EventQuery(limit=0), []),
    ],
)
def test_a_query_finds_exactly_its_matches(store, history, query, found):
    query = numbered(store, query)
    assert places(store, history.read(query)) == found
    assert places(store, history.latest(query)) == found


def test_read_returns_the_oldest_and_latest_the_newest_in_the_order_of_numbers(store, history):
    assert places(store, history.read(EventQuery(limit=2))) == [1, 2]
    assert places(store, history.latest(EventQuery(limit=2))) == [5, 6]
    first = numbered(store, EventQuery(endpoint_name="falcon", after=1, limit=1))
    assert places(store, history.read(first)) == [2]
    assert places(store, history.latest(EventQuery(kinds=("lease.",), limit=1))) == [4]


def test_numbers_of_many_threads_rise_and_none_is_given_twice(store):
    with ThreadPoolExecutor(8) as pool:
        stored = list(pool.map(lambda _: store.history.append(an_event()), range(80)))
    assert len({*numbers(stored)}) == 80
    assert numbers(store.history.read(EventQuery(limit=100))) == sorted(numbers(stored))


def test_an_event_is_of_the_owner_that_its_endpoints_lease_has_then(store):
    store.history.append(an_event("endpoint.creating"))
    stored = store.book.put(a_lease(), an_event("lease.added"))
    store.history.append(an_event("worker.died"))
    store.history.append(an_event("worker.died", endpoint_name="flan"))
    store.history.append(an_event("notice.stuck", owner="eve"))
    store.book.remove(stored, an_event("lease.removed"))
    store.history.append(an_event("endpoint.deleted"))
    owners = [event.owner for event in store.history.read(EventQuery())]
    assert owners == ["", "ann", "ann", "", "eve", "ann", ""]
    assert places(store, store.history.read(EventQuery(owners=("ann",)))) == [2, 3, 6]
    newest = store.history.latest(EventQuery(owners=("ann", "eve"), limit=2))
    assert places(store, newest) == [5, 6]
    assert places(store, store.history.read(EventQuery(owners=("ann",), kinds=("worker.",)))) == [3]


def test_whoever_watches_is_called_after_each_event_can_be_read(store):
    seen = []
    store.history.watch(lambda: seen.append(len(store.history.read(EventQuery()))))
    store.history.append(an_event())
    store.book.put(a_lease(), an_event("lease.added"))
    assert seen == [1, 2]
