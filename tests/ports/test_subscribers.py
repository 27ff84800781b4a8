"""The contract of the subscriber store."""

import pytest

from parkade.domain.errors import AlreadyExists, SubscriberNotFound
from parkade.domain.subscriber import Channel, Shape
from tests.builders import NOW, a_subscriber, an_event
from tests.ports.stores import kinds_of

EVERY_FORM = [
    a_subscriber("a", kinds=["lease."], endpoints=["team-*"], owners=["ann"], alarms=["text-*"],
                 secret="whsec_" + "A" * 32, shape=Shape.EVENTBRIDGE, made_at=NOW, enabled=False),
    a_subscriber("b", channel=Channel.SLACK, url="https://hooks.example.com/T/B/x"),
    a_subscriber("c", channel=Channel.EMAIL, url="", to=("ann@example.com", "owner")),
    a_subscriber("d", channel=Channel.COMMAND, url="", command=("/bin/true", "ü")),
]  # fmt: skip


def test_all_returns_what_was_added_in_the_order_of_names(store):
    for each in reversed(EVERY_FORM):
        store.subscribers.add(each, an_event("subscriber.added"))
    listing = store.subscribers.all()
    assert list(listing.records) == EVERY_FORM
    assert not listing.unreadable
    assert kinds_of(store.history) == ["subscriber.added"] * 4


def test_a_taken_name_is_refused_without_an_event(store):
    store.subscribers.add(a_subscriber(), an_event())
    with pytest.raises(AlreadyExists):
        store.subscribers.add(a_subscriber(url="http://127.0.0.1:9/other"), an_event())
    assert store.subscribers.all().records == (a_subscriber(),)
    assert len(kinds_of(store.history)) == 1


def test_replace_stores_over_the_one_of_its_name(store):
    store.subscribers.add(a_subscriber(), an_event())
    store.subscribers.replace(a_subscriber(enabled=False), an_event("subscriber.disabled"))
    assert store.subscribers.all().records == (a_subscriber(enabled=False),)
    assert kinds_of(store.history)[-1] == "subscriber.disabled"


def test_remove_forgets_it(store):
    store.subscribers.add(a_subscriber(), an_event())
    store.subscribers.remove("ops", an_event("subscriber.removed"))
    assert store.subscribers.all().records == ()
    assert kinds_of(store.history)[-1] == "subscriber.removed"


def test_what_is_not_there_cannot_be_replaced_or_removed(store):
    with pytest.raises(SubscriberNotFound):
        store.subscribers.replace(a_subscriber(), an_event())
    with pytest.raises(SubscriberNotFound):
        store.subscribers.remove("ops", an_event())
    assert kinds_of(store.history) == []
