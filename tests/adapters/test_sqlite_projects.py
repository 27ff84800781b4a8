"""The documents of projects: each is stored once, and not kept once nobody holds it."""

import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest

from parkade.adapters.sqlite.database import Database
from parkade.adapters.sqlite.projects import SqliteProjectStore
from parkade.domain.errors import Unreadable
from tests.builders import an_event
from tests.ports.test_projects import a_project, a_record, an_application, over


@pytest.fixture
def database(tmp_path):
    opened = Database(tmp_path / "parkade.db", busy_timeout=0.1)
    yield opened
    opened.close()


def documents(database):
    with database.reading() as connection:
        return connection.execute("SELECT content FROM project_documents").fetchall()


def test_what_many_rows_name_is_stored_once(database):
    store = SqliteProjectStore(database)
    project = a_project(document={"a": "b"})
    record = a_record(wanted=project, applied=project, former=a_project(document={}))
    store.put(an_application(project=project), record)
    assert len(documents(database)) == 2
    # Another process knows nothing of what this one remembers.
    again = SqliteProjectStore(database)
    found = again.get("Text")
    assert (found.wanted, found.applied, found.former) == (project, project, record.former)
    assert again.application("a1").project == project
    again.put(replace(again.application("a1"), reason="x"), replace(found, applied_by="ann"))
    assert len(documents(database)) == 2


def test_what_nobody_holds_is_not_kept(database):
    store = SqliteProjectStore(database)
    secret = a_project(document={"secret": "s3cret"})
    begun = store.put(an_application(project=secret), a_record(wanted=secret))
    plain = a_project(document={})
    store.put(
        replace(over(begun), project=None), replace(store.get("Text"), wanted=plain, former=secret)
    )
    assert len(documents(database)) == 2
    second = store.put(an_application("a2", project=plain), replace(store.get("Text"), former=None))
    store.put(replace(over(second), project=None))
    assert "s3cret" not in documents(database)[0]["content"]
    third = store.put(an_application("a3", project=None))
    store.close(over(third), an_event())
    assert documents(database) == []
    assert len(store.applications("Text").records) == 3


def test_a_damaged_document_is_told_of_whoever_names_it(database):
    SqliteProjectStore(database).put(an_application(), a_record())
    for statement, why in (
        ("UPDATE project_documents SET content = '{'", "Text"),
        ("DELETE FROM project_documents", "is not there"),
    ):
        with database.writing() as connection:
            connection.execute(statement)
        store = SqliteProjectStore(database)
        assert list(store.all().unreadable) == ["Text"]
        assert list(store.running().unreadable) == ["a1"]
        with pytest.raises(Unreadable, match=why):
            store.get("Text")
        with pytest.raises(Unreadable, match=why):
            store.application("a1")


def test_of_a_project_that_is_forgotten_no_secret_is_left_in_the_files(database):
    """In none of them: not on free pages of the database, nor in its write-ahead log."""
    store = SqliteProjectStore(database)
    secret = a_project(document={"large": "x" * 20_000, "secret": "s3cret"})
    store.put(an_application(project=secret), a_record(wanted=secret))
    assert files_with(b"s3cret", database)
    with database.writing() as connection:  # it has come as far as into the database itself
        connection.execute("INSERT INTO meta VALUES ('a', 'b')")
    database.forget()
    begun = store.application("a1")
    store.close(replace(over(begun), project=None), an_event())
    assert not files_with(b"s3cret", database)


def test_a_project_is_forgotten_while_another_process_reads(database, caplog):
    store = SqliteProjectStore(database)
    store.put(an_application(), a_record())
    with closing(sqlite3.connect(database.path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM projects").fetchall()
        store.close(replace(over(store.application("a1")), project=None), an_event())
    assert not store.all().records
    assert "for a while" in caplog.text


def files_with(text, database):
    folder = database.path.parent
    return [each.name for each in folder.iterdir() if text in each.read_bytes()]
