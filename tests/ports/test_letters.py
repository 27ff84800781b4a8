"""The contract of the letter store."""

from dataclasses import replace

import pytest

from parkade.domain.errors import LetterNotFound
from parkade.domain.subscriber import Progress
from tests.builders import NOW, a_letter, an_event, minutes
from tests.ports.stores import kinds_of


def bury(store, number, subscriber="ops"):
    letter = a_letter(subscriber, event_number=number)
    store.letters.bury(letter, Progress(subscriber=subscriber, number=number))
    return letter


def test_a_new_subscriber_begins_where_it_is_told_and_an_old_one_where_it_was(store):
    assert store.letters.begin("ops", 7) == Progress(subscriber="ops", number=7)
    got = Progress(
        subscriber="ops", number=9, attempts=3, failing_since=NOW, cause="ü", delivered_at=NOW,
        told=True,
    )  # fmt: skip
    store.letters.note(got)
    assert store.letters.begin("ops", 100) == got
    assert store.letters.progress() == {"ops": got}


def test_a_letter_is_buried_with_the_progress_beyond_it_and_the_event_that_tells(store):
    store.letters.begin("ops", 0)
    beyond = Progress(subscriber="ops", number=5, told=True)
    store.letters.bury(a_letter(), beyond, an_event("subscriber.failing"))
    (letter,) = store.letters.letters()
    assert letter == a_letter(id=letter.id)
    assert store.letters.letter(letter.id) == letter
    assert store.letters.progress() == {"ops": beyond}
    assert kinds_of(store.history) == ["subscriber.failing"]


def test_letters_are_listed_from_the_oldest_by_subscriber_and_page(store):
    for subscriber in ("ops", "eve"):
        store.letters.begin(subscriber, 0)
    for number in (1, 2, 3):
        bury(store, number)
    bury(store, 4, "eve")
    everything = store.letters.letters()
    assert [each.event_number for each in everything] == [1, 2, 3, 4]
    ids = [each.id for each in everything]
    assert ids == sorted(set(ids))
    assert [e.event_number for e in store.letters.letters(subscriber="ops", limit=2)] == [1, 2]
    assert [e.event_number for e in store.letters.letters(after=ids[1])] == [3, 4]
    assert store.letters.counts() == {"ops": 3, "eve": 1}


def test_a_dropped_letter_is_gone_and_its_id_is_never_given_again(store):
    store.letters.begin("ops", 0)
    bury(store, 1)
    (letter,) = store.letters.letters()
    store.letters.drop(letter.id, an_event("letter.dropped"))
    for ask in (
        lambda: store.letters.letter(letter.id),
        lambda: store.letters.drop(letter.id, an_event()),
    ):
        with pytest.raises(LetterNotFound):
            ask()
    assert kinds_of(store.history) == ["letter.dropped"]
    assert store.letters.counts() == {}
    bury(store, 2)
    assert store.letters.letters()[0].id > letter.id


def test_whoever_was_forgotten_is_brought_back_by_nobody(store):
    progress = store.letters.begin("ops", 0)
    bury(store, 1)
    assert store.letters.forget("ops") == 1
    store.letters.note(replace(progress, number=3))
    store.letters.bury(a_letter(buried_at=NOW + minutes(1)), progress, an_event())
    assert store.letters.progress() == {}
    assert store.letters.letters() == []
    assert kinds_of(store.history) == []
