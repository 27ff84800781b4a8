"""Rows: everything comes back exactly, and damage is told by name."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parkade.adapters.documents import columns
from parkade.adapters.sqlite.catalog import SqliteCatalogStore
from parkade.adapters.sqlite.events import SqliteHistory
from parkade.adapters.sqlite.executions import SqliteExecutionStore
from parkade.adapters.sqlite.leases import SqliteLeaseBook
from parkade.adapters.sqlite.meta import SqliteMeta
from parkade.adapters.sqlite.routes import SqliteRouteStore
from parkade.adapters.sqlite.tokens import SqliteTokenStore
from parkade.domain.catalog import EndpointConfig, Variant
from parkade.domain.errors import Unreadable
from parkade.domain.lease import EndReason, Lease
from parkade.domain.route import Mark, Rate, Sticky
from parkade.domain.token import Role, Token
from parkade.ports.events import EventQuery
from tests.builders import (
    NOW,
    a_coin,
    a_config,
    a_lease,
    a_model,
    a_recorded_component,
    a_recorded_endpoint,
    a_recorded_instance,
    a_route,
    a_token,
    an_event,
    an_execution,
)

# The database outlives the examples of a property: each writes over the last.
kept = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)

names = st.from_regex(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,30}", fullmatch=True).filter(
    lambda name: len(name) <= 63
)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=50)
zones = st.integers(-14 * 60, 14 * 60).map(lambda offset: timezone(timedelta(minutes=offset)))
instants = st.datetimes(
    min_value=datetime(2, 1, 1),  # noqa: DTZ001 - the zone is drawn
    max_value=datetime(9999, 12, 30),  # noqa: DTZ001
    timezones=zones,
)
some_instants = st.none() | instants
leases = st.builds(
    Lease,
    endpoint_name=names,
    config_name=names,
    owner=texts,
    created_at=instants,
    expires_at=instants,
    ended=st.none() | st.sampled_from(EndReason),
    ended_at=some_instants,
    retries=st.integers(0, 2**62),
    refused_at=some_instants,
    failure=texts,
    warned=st.frozensets(st.timedeltas(), max_size=5),
    version=st.just(0),
    paid_until=some_instants,
    asleep_at=some_instants,
    paused_at=some_instants,
    wanted_at=some_instants,
    woken=st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=10_000)),
)
tokens = st.builds(
    Token,
    name=names,
    digest=texts,
    role=st.sampled_from(Role),
    endpoints=st.frozensets(names),
    created_at=instants,
    expires_at=some_instants,
    revoked_at=some_instants,
)
variants = st.builds(
    Variant,
    name=names,
    model_name=names,
    instance_type=st.from_regex(r"ml\.[a-z0-9\-]+\.[a-z0-9\-]+", fullmatch=True),
    instance_count=st.integers(1, 2**53),
    weight=st.floats(min_value=1e-300, max_value=1e300),
)
configs = st.builds(
    EndpointConfig,
    name=names,
    variants=st.lists(variants, min_size=1, max_size=3, unique_by=lambda v: v.name).map(tuple),
    created_at=instants,
)


@pytest.fixture
def hasty(database):
    """A database that does not wait for the disk."""
    with database.reading() as connection:
        connection.execute("PRAGMA synchronous = OFF")
    return database


@kept
@given(leases)
def test_every_lease_comes_back_exactly(hasty, lease):
    book = SqliteLeaseBook(hasty)
    coin = a_coin(endpoint_name=lease.endpoint_name)
    stored = book.put(lease, an_event(), coin=coin)
    read = book.get(lease.endpoint_name)
    assert read == stored == replace(lease, version=1)
    assert read.expires_at.tzinfo is UTC
    assert book.spent(coin) == stored
    assert book.all().unreadable == {}
    book.remove(stored, an_event())


@kept
@given(leases, leases)
def test_a_changed_lease_comes_back_exactly(hasty, former, present):
    book = SqliteLeaseBook(hasty)
    stored = book.put(former, an_event())
    changed = replace(
        present,
        endpoint_name=former.endpoint_name,
        created_at=former.created_at,
        version=stored.version,
    )
    assert book.put(changed, an_event()) == book.get(former.endpoint_name)
    assert book.get(former.endpoint_name) == replace(changed, version=2)
    book.remove(replace(changed, version=2), an_event())


@kept
@given(tokens)
def test_every_token_comes_back_exactly(hasty, token):
    store = SqliteTokenStore(hasty)
    if token.name in {there.name for there in store.all()}:
        store.replace(token, an_event())
    elif token.digest not in {there.digest for there in store.all()}:
        store.add(token, an_event())
    else:
        return
    assert token in store.all()
    with hasty.writing() as connection:
        connection.execute("DELETE FROM tokens")


@kept
@given(configs)
def test_every_config_comes_back_exactly(hasty, config):
    store = SqliteCatalogStore(hasty)
    store.add_config(config, an_event())
    assert store.config(config.name) == config
    assert store.configs().records == (config,)
    store.remove_config(config.name, an_event())


@given(instants, instants)
def test_written_instants_sort_in_the_order_of_time(one, other):
    assert (columns.instant(one) < columns.instant(other)) == (one < other)
    assert (columns.instant(one) == columns.instant(other)) == (one == other)


def damage(database, statement, *values):
    with database.writing() as connection:
        assert connection.execute(statement, values).rowcount == 1


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("ended", "vanished"),
        ("ended", 7),
        ("created_at", ""),
        ("expires_at", "soon"),
        ("expires_at", "2026-03-01T12:00:00"),
        ("expires_at", "2026-03-01T12:00:00+02:00"),
        ("expires_at", 1772366400),
        ("expires_at", b"\x00\xff"),
        ("ended_at", "2026-13-01T12:00:00+00:00"),
        ("refused_at", 5),
        ("retries", -1),
        ("retries", "many"),
        ("retries", 1.5),
        ("warned", "[600000000"),
        ("warned", "{}"),
        ("warned", '["10"]'),
        ("warned", "[true]"),
        ("warned", f"[{10**30}]"),
        ("version", 0),
        ("owner", b"blob"),
        ("asleep_at", "yesterday"),
        ("paused_at", 5),
        ("wanted_at", "2026-03-01"),
        ("woken", -1),
        ("woken", "long"),
    ],
)
def test_a_damaged_lease_is_told_by_name_and_column_beside_the_others(database, column, value):
    book = SqliteLeaseBook(database)
    for name in ("a", "b", "c"):
        book.put(a_lease(endpoint_name=name), an_event())
    before = book.get("b")
    damage(database, f"UPDATE leases SET {column} = ? WHERE endpoint_name = 'b'", value)  # noqa: S608
    shelf = book.all()
    assert [lease.endpoint_name for lease in shelf.leases] == ["a", "c"]
    assert list(shelf.unreadable) == ["b"]
    assert column in shelf.unreadable["b"]
    with pytest.raises(Unreadable, match="'b'") as error:
        book.get("b")
    assert error.value.hint
    for lease in (before, a_lease(endpoint_name="b")):
        with pytest.raises(Unreadable, match="'b'"):
            book.put(lease, an_event())
    with pytest.raises(Unreadable, match="'b'"):
        book.remove(before, an_event())


def test_text_that_is_no_text_does_not_hide_the_other_leases(database):
    book = SqliteLeaseBook(database)
    for name in ("a", "b", "c"):
        book.put(a_lease(endpoint_name=name), an_event())
    damage(database, "UPDATE leases SET owner = CAST(x'66ff6f' AS TEXT) WHERE endpoint_name = 'b'")
    shelf = book.all()
    assert [lease.endpoint_name for lease in shelf.leases] == ["a", "c"]
    assert "owner" in shelf.unreadable["b"]


def test_a_lease_whose_very_name_is_damaged_is_told(database):
    book = SqliteLeaseBook(database)
    for name in ("a", "b"):
        book.put(a_lease(endpoint_name=name), an_event())
    damage(database, "UPDATE leases SET endpoint_name = x'00' WHERE endpoint_name = 'b'")
    shelf = book.all()
    assert [lease.endpoint_name for lease in shelf.leases] == ["a"]
    assert len(shelf.unreadable) == 1


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"endpoint_name": "falcon"}'])
def test_a_damaged_coin_is_told(database, content):
    book = SqliteLeaseBook(database)
    book.put(a_lease(), an_event(), coin=a_coin())
    damage(database, "UPDATE coins SET lease = ?", content)
    with pytest.raises(Unreadable, match="key-1"):
        book.spent(a_coin())


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("tokens", "role", "king"),
        ("tokens", "endpoints", "falcon"),
        ("tokens", "endpoints", "[1]"),
        ("tokens", "expires_at", "never"),
        ("routes", "public", 2),
        ("routes", "public", "yes"),
        ("routes", "per_second", "often"),
        ("routes", "per_second", -1),
        ("routes", "burst", 0),
        ("routes", "timeout_seconds", "long"),
        ("routes", "timeout_seconds", 1e9),
        ("routes", "sticky_mark", "face"),
        ("routes", "sticky_name", "a b"),
        ("routes", "project", "a b"),
        ("executions", "status", "SLEEPING"),
        ("executions", "started_at", "then"),
    ],
)
def test_a_damaged_row_is_told_by_name(database, table, column, value):
    tokens, routes = SqliteTokenStore(database), SqliteRouteStore(database)
    executions = SqliteExecutionStore(database)
    tokens.add(a_token("falcon"), an_event())
    conditions = {
        "rate": Rate(per_second=1, burst=1),
        "sticky": Sticky(mark=Mark.HEADER, name="X-User"),
    }
    routes.put(a_route("/falcon", **conditions), an_event())
    executions.put(an_execution("arn:falcon"))
    damage(database, f"UPDATE {table} SET {column} = ?", value)  # noqa: S608
    read = {
        "tokens": tokens.all,
        "routes": routes.all,
        "executions": lambda: executions.get("arn:falcon"),
    }[table]
    with pytest.raises(Unreadable, match="falcon"):
        read()


@pytest.mark.parametrize(
    ("table", "member", "value"),
    [
        ("models", "$.containers[0].environment", []),
        ("models", "$.containers[0].environment", {"A": 1}),
        ("models", "$.containers[0].image", ""),
        ("models", "$.containers", []),
        ("models", "$.created_at", "then"),
        ("models", "$.created_at", "2026-03-01T12:00:00"),
        ("models", "$.sort", "odd"),
        ("configs", "$.variants", {}),
        ("configs", "$.variants", []),
        ("configs", "$.variants[0]", {}),
        ("configs", "$.variants[0]", 7),
        ("configs", "$.variants[0].instance_type", "t2"),
        ("configs", "$.created_at", "then"),
        ("endpoints", "$.status", "Sleeping"),
        ("endpoints", "$.blueprint.config.name", ""),
        ("endpoints", "$.blueprint.models[0]", None),
        ("endpoints", "$.changed_at", 7),
        ("components", "$.component.copies", -1),
        ("instances", "$.started_at", "then"),
        ("instances", "$.endpoint_name", 0),
        ("instances", "$.generation", "1"),
    ],
)
def test_a_damaged_record_is_told_by_name_beside_the_others(database, table, member, value):
    catalog = some_records(database)
    change = f"UPDATE {table} SET content = json_set(content, ?, json(?))"  # noqa: S608
    damage(database, f"{change} WHERE {key(table)} = 'falcon'", member, json.dumps(value))
    assert_told(catalog, table)


@pytest.mark.parametrize("table", ["models", "configs", "endpoints", "components", "instances"])
@pytest.mark.parametrize("content", ["", "{", "null", b"\x00", b"{}", b"\xff"], ids=ascii)
def test_a_record_that_is_no_document_is_told_by_name(database, table, content):
    catalog = some_records(database)
    change = f"UPDATE {table} SET content = ? WHERE {key(table)} = 'falcon'"  # noqa: S608
    damage(database, change, content)
    assert_told(catalog, table)


def some_records(database):
    catalog = SqliteCatalogStore(database)
    for name in ("a", "falcon", "z"):
        catalog.add_model(a_model(name), an_event())
        catalog.add_config(a_config(name), an_event())
        catalog.put_endpoint(a_recorded_endpoint(name), an_event())
        catalog.put_component(a_recorded_component(name), an_event())
        catalog.put_instance(a_recorded_instance(name))
    return catalog


def key(table):
    return "id" if table == "instances" else "name"


def assert_told(catalog, table):
    listing = getattr(catalog, table)()
    assert [getattr(record, key(table)) for record in listing.records] == ["a", "z"]
    assert list(listing.unreadable) == ["falcon"]
    assert "falcon" in listing.unreadable["falcon"]


def test_a_damaged_event_is_told_by_number(database):
    with database.writing() as connection:
        connection.execute(
            "INSERT INTO events (at, kind, actor, reason, endpoint_name, data)"
            " VALUES (?, 'k', 'a', 'r', '', '[]')",
            (columns.instant(NOW),),
        )
    with pytest.raises(Unreadable, match="event 1"):
        SqliteHistory(database).read(EventQuery())


def test_damaged_meta_is_told_by_key(database):
    SqliteMeta(database).put("clock", "1")
    damage(database, "UPDATE meta SET value = x'00'")
    with pytest.raises(Unreadable, match="clock"):
        SqliteMeta(database).get("clock")
