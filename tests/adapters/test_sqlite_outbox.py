"""Damaged rows of subscribers, progress and letters: told apart, left alone, and never in the way."""

from contextlib import closing

import pytest

from parkade.adapters.sqlite.database import Database
from parkade.adapters.sqlite.letters import SqliteLetterStore
from parkade.adapters.sqlite.subscribers import SqliteSubscriberStore
from parkade.domain.errors import Unreadable
from parkade.domain.subscriber import Progress
from tests.builders import a_letter, a_subscriber, an_event


@pytest.fixture
def database(tmp_path):
    with closing(Database(tmp_path / "parkade.db")) as opened:
        yield opened


def damage(database, table, key, value, content="{}"):
    with database.writing() as connection:
        statement = f"UPDATE {table} SET content = ? WHERE {key} = ?"  # noqa: S608
        assert connection.execute(statement, (content, value)).rowcount == 1


@pytest.mark.parametrize(
    "content", ["{}", "", "[1]", '{"name": "a", "channel": "webhook", "url": "ftp://x/"}']
)
def test_a_damaged_subscriber_hides_no_other_and_can_be_removed(database, content):
    store = SqliteSubscriberStore(database)
    for name in ("a", "b"):
        store.add(a_subscriber(name), an_event())
    damage(database, "subscribers", "name", "a", content)
    listing = store.all()
    assert listing.records == (a_subscriber("b"),)
    assert "subscriber 'a' cannot be read" in listing.unreadable["a"]
    store.remove("a", an_event())
    assert not store.all().unreadable


def test_damaged_progress_begins_anew_and_says_so(database, caplog):
    store = SqliteLetterStore(database)
    for name in ("a", "b"):
        store.begin(name, 3)
    damage(database, "progress", "subscriber", "a")
    assert list(store.progress()) == ["b"]
    assert store.begin("a", 9) == Progress(subscriber="a", number=9)
    assert "it begins at event 9" in caplog.text
    assert store.progress()["a"].number == 9


def test_a_damaged_letter_hides_no_other_and_stays(database, caplog):
    store = SqliteLetterStore(database)
    progress = store.begin("ops", 0)
    for _ in range(2):
        store.bury(a_letter(), progress)
    first, second = (letter.id for letter in store.letters())
    damage(database, "letters", "id", first)
    assert [letter.id for letter in store.letters()] == [second]
    assert "letter '1' cannot be read" in caplog.text
    with pytest.raises(Unreadable):
        store.letter(first)
    assert store.counts() == {"ops": 2}
    store.drop(first, an_event())
    assert store.counts() == {"ops": 1}
