"""The contract of the store of watches."""

import pytest

from parkade.domain.errors import Unreadable, VersionConflict
from parkade.domain.idle import IdleRules
from tests.builders import NOW, a_watch, an_event, minutes
from tests.ports.stores import kinds_of

FULL = a_watch(
    endpoint_name="full",
    rules=IdleRules(notice_after=None, delete_after=minutes(90)),
    noticed_at=NOW + minutes(1),
    snoozed_at=NOW + minutes(2),
    snoozed_until=NOW + minutes(3),
    unknown_since=NOW + minutes(4),
)


def test_what_is_put_is_read_again_whole_and_in_the_order_of_names(store):
    for watch in (FULL, a_watch(endpoint_name="ant")):
        store.watches.put(watch, None, before=None)
    assert store.watches.all().records == (a_watch(endpoint_name="ant"), FULL)
    assert store.watches.get("full") == FULL
    assert store.watches.get("nobody") is None


def test_a_write_is_stored_with_its_event_if_it_has_one(store):
    store.watches.put(a_watch(), an_event("watch.begun"), before=None)
    told = a_watch(noticed_at=NOW)
    store.watches.put(told, None, before=a_watch())
    store.watches.remove(told, an_event("watch.ended"))
    assert store.watches.all().records == ()
    assert kinds_of(store.history) == ["watch.begun", "watch.ended"]


@pytest.mark.parametrize("before", [None, a_watch(since=NOW + minutes(1))])
def test_a_write_that_another_one_came_before_is_refused_whole(store, before):
    store.watches.put(a_watch(), None, before=None)
    with pytest.raises(VersionConflict):
        store.watches.put(a_watch(noticed_at=NOW), an_event("endpoint.idle"), before=before)
    if before is not None:
        with pytest.raises(VersionConflict):
            store.watches.remove(before, an_event("watch.ended"))
    assert store.watches.get("falcon") == a_watch()
    assert kinds_of(store.history) == []


def test_what_is_gone_cannot_be_changed(store):
    with pytest.raises(VersionConflict):
        store.watches.put(a_watch(noticed_at=NOW), None, before=a_watch())
    with pytest.raises(VersionConflict):
        store.watches.remove(a_watch(), None)


def test_a_damaged_watch_hides_no_other_and_is_never_written_over(store):
    store.watches.put(a_watch(), None, before=None)
    store.watches.put(FULL, None, before=None)
    store.damage_watch("falcon")
    found = store.watches.all()
    assert found.records == (FULL,)
    assert list(found.unreadable) == ["falcon"]
    for act in (
        lambda: store.watches.get("falcon"),
        lambda: store.watches.put(a_watch(), None, before=None),
        lambda: store.watches.remove(a_watch(), None),
    ):
        with pytest.raises(Unreadable):
            act()
