"""The file: how it is opened, what it refuses, and what goes wrong around it."""

import json
import sqlite3
import stat
import threading
from contextlib import closing
from dataclasses import replace

import pytest

from parkade.adapters.sqlite import schema
from parkade.adapters.sqlite.catalog import SqliteCatalogStore
from parkade.adapters.sqlite.database import Database
from parkade.adapters.sqlite.errors import busy, translated
from parkade.adapters.sqlite.events import SqliteHistory
from parkade.adapters.sqlite.leases import SqliteLeaseBook
from parkade.adapters.sqlite.meta import SqliteMeta
from parkade.adapters.sqlite.remains import SqliteRemainsStore, keep
from parkade.domain.errors import ResourceLimitExceeded, Unavailable, Unreadable
from parkade.ports.events import EventQuery
from parkade.ports.remains import Remains
from tests.builders import (
    NOW,
    a_blueprint,
    a_config,
    a_lease,
    a_model,
    a_recorded_endpoint,
    a_recorded_instance,
    a_variant,
    an_event,
)
from tests.house import PATIENCE


def pragma(database, name):
    with database.reading() as connection:
        return connection.execute(f"PRAGMA {name}").fetchone()[0]


def raw(path):
    return closing(sqlite3.connect(path, isolation_level=None))


def test_what_was_stored_is_there_when_it_is_opened_again(path):
    with closing(Database(path)) as database:
        lease = SqliteLeaseBook(database).put(a_lease(), an_event())
    with closing(Database(path)) as database:
        assert SqliteLeaseBook(database).get("falcon") == lease


def test_it_is_set_up_to_survive(database):
    assert pragma(database, "journal_mode") == "wal"
    assert pragma(database, "synchronous") == 2
    assert pragma(database, "foreign_keys") == 1
    assert pragma(database, "user_version") == len(schema.MIGRATIONS)


def test_its_files_are_for_this_user_alone(path, database):
    SqliteMeta(database).put("key", "value")
    for file in path.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file


def with_more(*migrations):
    return replace(schema.MAIN, migrations=(*schema.MIGRATIONS, *migrations))


def test_migrations_run_once_and_in_order(path):
    with closing(Database(path)) as database:
        SqliteMeta(database).put("key", "kept")
    layout = with_more(("CREATE TABLE later (a TEXT)",), ("ALTER TABLE later ADD COLUMN b TEXT",))
    for _ in range(2):
        with closing(Database(path, layout=layout)) as database:
            assert pragma(database, "user_version") == len(schema.MIGRATIONS) + 2
            assert SqliteMeta(database).get("key") == "kept"
            with database.reading() as connection:
                connection.execute("SELECT a, b FROM later")


def test_records_of_the_first_schema_are_taken_over(path):
    """Written by version 0.1.0; what is damaged stays damaged, and hides nothing else."""
    old = Database(path, layout=replace(schema.MAIN, migrations=schema.MIGRATIONS[:1]))
    at = "2026-03-01T12:00:00.000000+00:00"
    variant = {"name": "blue", "model_name": "m", "instance_type": "ml.c5.xlarge"}
    variants = json.dumps([{**variant, "instance_count": 2, "weight": 1.0}])
    with old.writing() as connection:
        for name, environment in (("m", '{"A": "1"}'), ("torn", "{")):
            connection.execute(
                "INSERT INTO models VALUES (?, 'image', 's3://models/m.tar.gz', ?, ?)",
                (name, environment, at),
            )
        connection.execute("INSERT INTO configs VALUES ('c', ?, ?)", (variants, at))
        connection.execute("INSERT INTO configs VALUES ('torn', '[', ?)", (at,))
        for name, config in (("falcon", "c"), ("lost", "torn")):
            connection.execute(
                "INSERT INTO endpoints VALUES (?, ?, 'InService', ?, ?, '')", (name, config, at, at)
            )
        connection.execute("INSERT INTO instances VALUES ('i-1', 'falcon', 'blue', ?)", (at,))
    old.close()
    new = Database(path)
    catalog = SqliteCatalogStore(new)
    model = a_model("m", image="image", data_url="s3://models/m.tar.gz", environment={"A": "1"})
    config = a_config("c", variants=(a_variant(model_name="m", instance_count=2),))
    assert catalog.models().records == (model,)
    assert list(catalog.models().unreadable) == ["torn"]
    assert catalog.configs().records == (config,)
    assert list(catalog.configs().unreadable) == ["torn"]
    assert catalog.endpoints().records == (
        a_recorded_endpoint(blueprint=a_blueprint(config, [model])),
    )
    assert list(catalog.endpoints().unreadable) == ["lost"]
    assert catalog.instances().records == (a_recorded_instance("i-1"),)
    new.close()


def test_what_was_left_before_blueprints_were_called_so_is_taken_over(path):
    written = Remains(
        endpoint_name="falcon", created_at=NOW, removed_at=NOW, blueprint=a_blueprint()
    )
    with closing(Database(path)) as database, database.writing() as connection:
        keep(connection, written)
        (content,) = connection.execute("SELECT content FROM remains").fetchone()
    path.unlink()
    old = Database(path, layout=replace(schema.MAIN, migrations=schema.MIGRATIONS[:5]))
    with old.writing() as connection:
        for name, text in (
            ("falcon", content.replace('"blueprint"', '"deployment"')),
            ("torn", "{"),
        ):
            connection.execute("INSERT INTO remains VALUES (?, ?, ?)", (name, "2026", text))
    old.close()
    with closing(Database(path)) as database:
        found = SqliteRemainsStore(database).all()
    assert found.records == (written,)
    assert list(found.unreadable) == ["torn"]


def test_a_migration_that_fails_leaves_the_file_as_it_was(path):
    Database(path).close()
    layout = with_more(("CREATE TABLE later (a TEXT)", "CREATE TABLE broken ("))
    with pytest.raises(sqlite3.OperationalError):
        Database(path, layout=layout)
    with closing(Database(path)) as database, database.reading() as connection:
        tables = connection.execute("SELECT name FROM sqlite_schema").fetchall()
        assert "later" not in [row["name"] for row in tables]


def test_a_newer_schema_is_refused_and_left_alone(path):
    Database(path).close()
    with raw(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(Unreadable, match="newer Parkade") as refused:
        Database(path)
    assert "99" in refused.value.message
    assert refused.value.hint
    with raw(path) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (99,)


def test_another_programs_database_is_refused_and_left_alone(path):
    with raw(path) as connection:
        connection.execute("CREATE TABLE theirs (a)")
    before = path.read_bytes()
    with pytest.raises(Unreadable, match="another program"):
        Database(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"no database at all, but long enough" * 50, b"short"])
def test_a_file_that_is_no_database_is_refused_by_name_and_left_alone(path, content):
    path.write_bytes(content)
    with pytest.raises(Unreadable, match=str(path)) as refused:
        Database(path)
    assert "parkade.db-wal" in refused.value.hint
    assert path.read_bytes() == content


def test_a_torn_page_is_unreadable_and_says_what_to_do(path):
    with closing(Database(path)) as database:
        history = SqliteHistory(database)
        for _ in range(500):
            history.append(an_event(reason="x" * 500))
    content = bytearray(path.read_bytes())
    pages = len(content) // 4096
    for page in range(pages // 2, pages):  # the first ones are the tables' own
        content[page * 4096 : page * 4096 + 4096] = b"\xff" * 4096
    path.write_bytes(content)
    with closing(Database(path)) as database, pytest.raises(Unreadable, match=str(path)) as error:
        SqliteHistory(database).read(EventQuery(limit=1000))
    assert error.value.hint


def test_a_folder_that_is_not_there_is_told(tmp_path):
    with pytest.raises(Unavailable, match="cannot be opened") as refused:
        Database(tmp_path / "nowhere" / "parkade.db")
    assert "folder" in refused.value.hint


def test_a_folder_in_its_place_is_told(tmp_path):
    with pytest.raises(Unavailable, match="cannot be opened"):
        Database(tmp_path)


def test_a_full_disk_is_told_and_nothing_is_changed(database):
    history = SqliteHistory(database)
    history.append(an_event())
    with database.reading() as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")  # SQLite's own SQLITE_FULL
    with pytest.raises(ResourceLimitExceeded, match="full"):
        history.append(an_event(reason="x" * 100_000))
    with database.reading() as connection:
        connection.execute("PRAGMA max_page_count = 1000000")
    history.append(an_event())
    assert len(history.read(EventQuery())) == 2


def test_a_transaction_is_whole_or_nothing(database):
    def half():
        with database.writing() as connection:
            connection.execute("INSERT INTO meta VALUES ('key', 'value')")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half()
    assert SqliteMeta(database).get("key") is None
    SqliteMeta(database).put("key", "value")


def test_a_mistake_of_ours_stays_a_mistake(database):
    with pytest.raises(sqlite3.OperationalError, match="syntax"), database.writing() as connection:
        connection.execute("SELEKT")


@pytest.mark.parametrize("statement", ["UPDATE events SET reason = 'other'", "DELETE FROM events"])
def test_history_cannot_be_changed(database, statement):
    history = SqliteHistory(database)
    history.append(an_event())
    with (
        pytest.raises(sqlite3.IntegrityError, match="append-only"),
        database.writing() as connection,
    ):
        connection.execute(statement)
    assert [event.reason for event in history.read(EventQuery())] == ["because"]


def test_one_connection_serves_many_threads(database):
    errors = []

    def work():
        try:
            for _ in range(20):
                SqliteHistory(database).append(an_event())
        except sqlite3.Error as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert len(SqliteHistory(database).read(EventQuery(limit=1000))) == 120


def test_opening_waits_where_sqlite_itself_would_not(path):
    """A file that is not in WAL mode yet, and is being written, cannot be switched at once."""
    Database(path).close()
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("PRAGMA journal_mode = DELETE")
        other.execute("BEGIN IMMEDIATE")
        other.execute("INSERT INTO meta VALUES ('key', 'theirs')")
        letting_go = threading.Timer(0.2, other.execute, ["COMMIT"])
        letting_go.start()
        with closing(Database(path, busy_timeout=PATIENCE)) as database:
            assert pragma(database, "journal_mode") == "wal"
            assert SqliteMeta(database).get("key") == "theirs"
        letting_go.join()


def test_opening_in_vain_says_so(path):
    Database(path).close()
    with raw(path) as other:
        other.execute("PRAGMA journal_mode = DELETE")
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(Unavailable, match="in use by another process"):
            Database(path, busy_timeout=0.1)


@pytest.mark.parametrize(
    "code", [sqlite3.SQLITE_BUSY_SNAPSHOT, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL]
)
def test_whoever_is_in_the_way_is_no_bug(path, code):
    error = sqlite3.OperationalError("locking protocol")
    error.sqlite_errorcode = code
    with pytest.raises(Unavailable, match="in use by another process") as raised, translated(path):
        raise error
    assert raised.value.retry_after
    assert busy(error)


def test_meta_keeps_texts_by_key(database):
    meta = SqliteMeta(database)
    assert meta.get("clock") is None
    meta.put("clock", "1")
    meta.put("clock", "2")
    assert meta.get("clock") == "2"
    assert meta.setdefault("clock", "3") == "2"
    assert meta.setdefault("state_id", "a") == "a"
    assert meta.get("state_id") == "a"


def test_tables_whose_names_are_torn_are_damage_and_no_bug(path):
    with closing(Database(path)):
        pass
    with raw(path) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute(
            "UPDATE sqlite_schema SET name = CAST(x'ed4141' AS TEXT), sql = 'CREATE TABLE'"
            " WHERE name = 'meta'"
        )
    with pytest.raises(Unreadable, match="not a readable Parkade database"):
        Database(path)
