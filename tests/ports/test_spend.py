"""The contract of the spend store."""

import sqlite3
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parkade.adapters.aws.dynamodb.spend import DynamoSpendStore
from parkade.adapters.memory.spend import MemorySpendStore
from parkade.adapters.sqlite.spend import SqliteSpendStore
from parkade.domain.cost import Presence
from parkade.domain.errors import ParkadeError, Unavailable, Unreadable, VersionConflict
from parkade.ports.spend import Known, SpendQuery
from tests.aws_account import a_table
from tests.builders import NOW, minutes, seconds
from tests.domain.test_cost import a_tally

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture(params=["memory", "sqlite", "dynamodb"])
def spend(request, tmp_path):
    if request.param == "memory":
        yield MemorySpendStore()
        return
    if request.param == "dynamodb":
        yield DynamoSpendStore(a_table(request.getfixturevalue("aws")))
        return
    store = SqliteSpendStore(tmp_path / "spend.db")
    yield store
    store.close()


def a_presence(**changes):
    defaults = {"at": NOW, "endpoint_name": "falcon", "owner": "ann", "span": minutes(1)}
    return Presence(**{**defaults, **changes})


def asked(**changes):
    return SpendQuery(**{"start": NOW, "end": NOW + DAY, **changes})


def test_nothing_was_added_at_first(spend):
    assert spend.until() is None
    assert list(spend.tallies(asked())) == []
    assert list(spend.presences(asked())) == []
    assert spend.first_seen() == {}


def test_tallies_of_one_key_add_up_to_the_microsecond(spend):
    tick = timedelta(microseconds=1)
    for number in range(3):
        spend.add([a_tally(used=seconds(1), idle=tick)], [], NOW + seconds(number))
    assert list(spend.tallies(asked())) == [a_tally(used=seconds(3), idle=3 * tick)]
    assert spend.until() == NOW + seconds(2)


@pytest.mark.parametrize(
    "other",
    [
        {"endpoint_name": "flan"},
        {"variant_name": "green"},
        {"owner": "bob"},
        {"owner": ""},
        {"instance_type": "ml.c5.xlarge"},
        {"hourly": "0.70"},
        {"hourly": None},
    ],
)
def test_what_differs_in_anything_stays_apart(spend, other):
    spend.add([a_tally(idle=seconds(1)), a_tally(**other, idle=seconds(2))], [], NOW)
    found = list(spend.tallies(asked()))
    assert sorted(each.idle for each in found) == [seconds(1), seconds(2)]
    assert {each.hourly for each in found} >= {a_tally(**other).hourly}


def test_of_two_that_add_from_the_same_instant_one_is_told_to_look_again(spend):
    spend.add([a_tally(idle=seconds(1))], [a_presence()], NOW, since=Known(None))
    for lost in (None, NOW - seconds(1)):
        with pytest.raises(VersionConflict):
            spend.add([a_tally(idle=seconds(9))], [a_presence()], NOW + HOUR, since=Known(lost))
    assert [each.idle for each in spend.tallies(asked())] == [seconds(1)]
    assert (spend.until(), len(spend.presences(asked()))) == (NOW, 1)
    spend.add([a_tally(idle=seconds(2))], [], NOW + seconds(2), since=Known(spend.until()))
    assert [each.idle for each in spend.tallies(asked())] == [seconds(3)]


def test_a_price_is_kept_as_it_was_written(spend):
    spend.add([a_tally("0.7364", idle=seconds(1))], [], NOW)
    (found,) = spend.tallies(asked())
    assert str(found.hourly) == "0.7364"
    assert isinstance(found.hourly, Decimal)


def test_a_query_takes_periods_from_its_start_up_to_its_end(spend):
    hours = [NOW - HOUR, NOW, NOW + HOUR, NOW + 2 * HOUR]
    spend.add([a_tally(at=hour, idle=seconds(1)) for hour in hours], [], NOW)
    (found,) = spend.tallies(asked(end=NOW + 2 * HOUR))
    assert (found.at, found.idle) == (NOW, seconds(2))


def test_a_query_is_of_one_endpoint_or_owner_where_it_names_them(spend):
    spend.add(
        [
            a_tally(idle=seconds(1)),
            a_tally(endpoint_name="flan", idle=seconds(1)),
            a_tally(owner="bob", idle=seconds(1)),
        ],
        [a_presence(), a_presence(owner="bob"), a_presence(endpoint_name="flan")],
        NOW,
    )
    assert {each.owner for each in spend.tallies(asked(owner="bob"))} == {"bob"}
    assert {each.endpoint_name for each in spend.tallies(asked(endpoint_name="flan"))} == {"flan"}
    assert len(spend.presences(asked(owner="ann"))) == 2


def test_days_are_put_together_apart(spend):
    late = NOW.replace(hour=23)
    hours = [NOW, late, late + HOUR]
    spend.add(
        [a_tally(at=hour, idle=seconds(1)) for hour in hours],
        [a_presence(at=hour) for hour in hours],
        NOW + DAY,
    )
    midnight = NOW.replace(hour=0)
    found = spend.tallies(asked(by_day=True))
    assert [(each.at, each.idle) for each in found] == [
        (midnight, seconds(2)), (midnight + DAY, seconds(1)),
    ]  # fmt: skip
    present = spend.presences(asked(by_day=True))
    assert [each.span for each in present] == [minutes(2), minutes(1)]


def test_presences_add_up(spend):
    for _ in range(2):
        spend.add([], [a_presence()], NOW + minutes(5))
    assert [each.span for each in spend.presences(asked())] == [minutes(2)]


def test_the_first_sight_of_an_endpoint_with_an_owner_stays(spend):
    spend.add([], [a_presence(span=seconds(1))], NOW + seconds(10))
    spend.add([], [a_presence(span=seconds(1))], NOW + seconds(11))
    spend.add([], [a_presence(span=seconds(1), owner="bob")], NOW + seconds(12))
    assert spend.first_seen() == {
        ("falcon", "ann"): NOW + seconds(9),
        ("falcon", "bob"): NOW + seconds(11),
    }


def test_what_is_forgotten_is_gone_and_the_sight_stays(spend):
    spend.add(
        [a_tally(idle=seconds(1)), a_tally(at=NOW + HOUR, idle=seconds(2))],
        [a_presence(), a_presence(at=NOW + HOUR)],
        NOW + HOUR,
    )
    spend.forget(NOW + HOUR)
    assert [each.idle for each in spend.tallies(asked())] == [seconds(2)]
    assert [each.span for each in spend.presences(asked())] == [minutes(1)]
    assert spend.first_seen()
    assert spend.until() == NOW + HOUR


# On DynamoDB, where each add is a handful of requests: tests/adapters/aws/test_spend_on_dynamodb.py.
@pytest.mark.parametrize("spend", ["memory", "sqlite"], indirect=True)
@given(
    parts=st.lists(
        st.tuples(st.sampled_from(["blue", "green"]), st.integers(0, 10**9), st.booleans()),
        max_size=20,
    )
)
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_used_and_idle_are_what_was_metered(spend, parts):
    spend.forget(NOW + 400 * DAY)
    for variant, amount, used in parts:
        span = timedelta(microseconds=amount)
        tally = a_tally(variant_name=variant)
        spend.add([replace(tally, **{"used" if used else "idle": span})], [], NOW)
    whole = sum((each.whole for each in spend.tallies(asked())), timedelta(0))
    assert whole == timedelta(microseconds=sum(amount for _, amount, _ in parts))


def test_the_file_is_opened_when_it_is_needed_and_tried_again(tmp_path):
    path = tmp_path / "spend.db"
    path.write_bytes(b"no database at all, and long enough to be looked at " * 40)
    store = SqliteSpendStore(path)
    for ask in (store.until, store.first_seen, lambda: store.tallies(asked())):
        with pytest.raises(Unreadable, match=r"spend\.db"):
            ask()
    path.unlink()
    assert store.until() is None
    store.close()


def test_a_file_that_is_taken_away_is_told_to_whoever_adds(tmp_path):
    path = tmp_path / "spend.db"
    store = SqliteSpendStore(path)
    store.add([a_tally(idle=seconds(1))], [], NOW)
    for each in tmp_path.glob("spend.db*"):
        each.unlink()
    assert store.until() is None
    store.forget(NOW)
    with pytest.raises(Unavailable, match="removed or replaced"):
        store.add([a_tally(idle=seconds(2))], [], NOW)
    store.add([a_tally(idle=seconds(2))], [], NOW)
    store.close()
    store = SqliteSpendStore(path)
    [tally] = store.tallies(asked())
    assert tally.idle == seconds(2)
    store.close()


def test_a_folder_that_is_gone_is_unavailable(tmp_path):
    with pytest.raises(Unavailable):
        SqliteSpendStore(tmp_path / "gone" / "spend.db").until()


@pytest.mark.parametrize(
    ("statement", "word"),
    [
        ("UPDATE tallies SET used = 'much'", "spans"),
        ("UPDATE tallies SET idle = -1", "spans"),
        ("UPDATE tallies SET hourly = 'dear'", "hourly"),
        ("UPDATE tallies SET hourly = '-1'", "hourly"),
        ("UPDATE tallies SET hourly = 'NaN'", "hourly"),
        ("UPDATE presences SET span = 'long'", "spans"),
        ("UPDATE sights SET at = 'once'", "instant"),
        ("UPDATE known SET until = 'now'", "instant"),
    ],
)
def test_a_damaged_row_is_never_left_out_of_a_sum(tmp_path, statement, word):
    path = tmp_path / "spend.db"
    store = SqliteSpendStore(path)
    store.add([a_tally(idle=seconds(1))], [a_presence()], NOW)
    store.close()
    connection = sqlite3.connect(path)
    connection.execute(statement)
    connection.commit()
    connection.close()
    store = SqliteSpendStore(path)
    with pytest.raises(ParkadeError, match=word):
        _all_of(store)
    store.close()


def _all_of(store):
    store.until()
    store.first_seen()
    store.presences(asked())
    store.tallies(asked())


def test_all_stores_tell_the_same_in_the_same_order(tmp_path, aws):
    stores = (
        MemorySpendStore(),
        SqliteSpendStore(tmp_path / "spend.db"),
        DynamoSpendStore(a_table(aws)),
    )
    told = []
    for store in stores:
        store.add(
            [
                a_tally(endpoint_name=name, hourly=hourly, idle=seconds(1))
                for name in ("b", "a", "a-1", "B")
                for hourly in ("0.5", None, "10")
            ],
            [],
            NOW,
        )
        told.append(list(store.tallies(asked())))
    stores[1].close()
    assert told[0] == told[1] == told[2]
