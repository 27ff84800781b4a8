"""What was spent, on DynamoDB: batches that count once, whoever dies at whichever request."""

from datetime import timedelta
from functools import partial

import pytest
from hypothesis import given, settings

from parkade.adapters.aws.dynamodb import ledger, spend
from parkade.adapters.aws.dynamodb.spend import DynamoSpendStore
from parkade.adapters.aws.dynamodb.table import Table
from parkade.domain.cost import Presence
from parkade.domain.errors import ResourceLimitExceeded, Unreadable, VersionConflict
from parkade.ports.spend import Known, SpendQuery
from tests.adapters.aws.interleaving import Fate, Process, choices, interleave
from tests.aws_account import a_table
from tests.builders import NOW, minutes, seconds
from tests.domain.test_cost import a_tally

HOUR = timedelta(hours=1)
#: Pieces of time begin in one hour and in another.
PIECE = minutes(25)
ALWAYS = SpendQuery(start=NOW - 100 * HOUR, end=NOW + 100 * HOUR)
ENDPOINTS = (("falcon", "ann"), ("flan", "bob"))


@pytest.fixture
def table(aws):
    return a_table(aws)


@pytest.fixture(params=["one item", "pieces"])
def batches(request, monkeypatch):
    """How a batch is written: as one item, or as pieces where it is too large for one."""
    if request.param == "pieces":
        monkeypatch.setattr(spend, "LARGEST", 60)


def metered(start, end):
    """What passed between two instants: each endpoint idle, each present."""
    at = start.replace(minute=0)
    tallies = [
        a_tally(at=at, endpoint_name=name, owner=owner, idle=end - start)
        for name, owner in ENDPOINTS
    ]
    presences = [
        Presence(at=at, endpoint_name=name, owner=owner, span=end - start)
        for name, owner in ENDPOINTS
    ]
    return tallies, presences


def meter(times, table):
    """Add a piece of time after the other from where all is known, as the bookkeeper does."""
    store = DynamoSpendStore(table)
    done = 0
    while done < times:
        known = Known(store.until())
        start = known.until or NOW
        try:
            store.add(*metered(start, start + PIECE), start + PIECE, since=known)
        except VersionConflict:
            continue
        done += 1


def look(seen, table):
    """Note what is spent between two looks until when that is known."""
    store = DynamoSpendStore(table)
    query = SpendQuery(start=ALWAYS.start, end=ALWAYS.end, owner="ann")
    for _ in range(4):
        before = store.until() or NOW
        spent = sum((each.idle for each in store.tallies(query)), timedelta(0))
        seen.append((before - NOW, spent, (store.until() or NOW) - NOW))


@given(turns=choices())
@settings(max_examples=5, deadline=None)
@pytest.mark.usefixtures("batches")
def test_every_second_counts_once_whoever_dies_where(aws, turns):
    table = a_table(aws)
    seen = []
    processes = [
        Process(partial(meter, 2), aws, table),
        Process(partial(meter, 2), aws, table, mortal=False),
        Process(partial(look, seen), aws, table, mortal=False),
    ]
    interleave(processes, turns)
    store = DynamoSpendStore(table)
    passed = store.until() - NOW
    assert passed >= 2 * PIECE
    for name, owner in ENDPOINTS:
        query = SpendQuery(start=ALWAYS.start, end=ALWAYS.end, endpoint_name=name, owner=owner)
        assert [each.idle for each in store.tallies(query)] == [passed]
        assert [each.span for each in store.presences(query)] == [passed]
    assert store.first_seen() == dict.fromkeys(ENDPOINTS, NOW)
    for before, spent, after in seen:
        assert before <= spent <= after


def test_whoever_is_slow_to_add_up_writes_over_nothing(aws, table):
    store = DynamoSpendStore(table)

    def add(start, own=table):
        DynamoSpendStore(own).add(*metered(start, start + PIECE), start + PIECE)

    add(NOW)
    slow = Process(partial(add, NOW), aws, table)
    slow.start()
    slow.until("transact_write_items")
    add(NOW)
    add(NOW)
    interleave([slow], [])
    assert {each.idle for each in store.tallies(ALWAYS)} == {4 * PIECE}


@pytest.mark.usefixtures("batches")
def test_a_batch_that_nobody_heard_of_is_told_to_whoever_adds_it_again(aws, table):
    """The answer got lost: the second attempt, which has it as well, must not count."""

    def die(own):
        DynamoSpendStore(own).add(*metered(NOW, NOW + minutes(5)), NOW + minutes(5))

    process = Process(die, aws, table)
    process.start()
    while not process.over:
        counted = DynamoSpendStore(Table(aws, table.name, table.shape)).until()
        process.step(Fate.ON if counted is None else Fate.AFTER)
    store = DynamoSpendStore(table)
    with pytest.raises(VersionConflict):
        store.add(*metered(NOW, NOW + minutes(6)), NOW + minutes(6), since=Known(None))
    assert {each.idle for each in store.tallies(ALWAYS)} == {minutes(5)}


def test_what_is_removed_together_fits_into_a_transaction(table, monkeypatch):
    monkeypatch.setattr(spend, "LARGEST", 10)
    written = []
    write = table.write
    monkeypatch.setattr(table, "write", lambda changes: written.append(changes) or write(changes))
    store = DynamoSpendStore(table)
    for number in range(3):
        store.add(*metered(NOW, NOW + minutes(5)), NOW + seconds(number))
    removed = [len(each) for each in written if each[0].operation == "Delete"]
    assert sum(removed) > 10
    # DynamoDB takes 4 MB together, and an item may have 400 KB.
    assert max(removed) * 400_000 <= 4 * 1024**2


def test_pieces_of_batches_that_never_counted_are_removed(aws, table, monkeypatch):
    monkeypatch.setattr(spend, "LARGEST", 60)
    process = Process(
        lambda own: DynamoSpendStore(own).add(*metered(NOW, NOW + minutes(5)), NOW), aws, table
    )
    process.start()
    while not list(table.query("piece")):
        process.step(Fate.ON)
    process.step(Fate.BEFORE)
    assert process.died
    store = DynamoSpendStore(table)
    assert store.until() is None
    for number in range(1, 4):
        store.add(*metered(NOW, NOW + minutes(5)), NOW + seconds(number))
    # Those of the last batch, and of the one that it was written beside.
    assert {item["sk"].split("/")[0] for item in table.query("piece")} == {"2", "3"}
    assert {each.idle for each in store.tallies(ALWAYS)} == {minutes(15)}


def test_what_an_account_has_is_spread_over_places_that_are_read_by_owner(table):
    store = DynamoSpendStore(table)
    owners = [f"owner-{number}" for number in range(40)]
    tallies = [
        a_tally(endpoint_name=f"e-{number}", owner=owner, idle=seconds(1))
        for owner in owners
        for number in range(3)
    ]
    store.add(tallies, [], NOW)
    store.add([], [], NOW)
    places = [item["sk"] for item in table.query("spend")]
    assert len(places) > ledger.OWNERS
    for owner in owners[:3]:
        query = SpendQuery(start=NOW, end=NOW + HOUR, owner=owner)
        assert len(store.tallies(query)) == 3


def test_what_a_place_cannot_hold_is_refused_and_nothing_is_lost(table, monkeypatch):
    store = DynamoSpendStore(table)
    store.add(*metered(NOW, NOW + minutes(5)), NOW + minutes(5))
    monkeypatch.setattr("parkade.adapters.aws.dynamodb.contents.PLAIN", 10)
    monkeypatch.setattr("parkade.adapters.aws.dynamodb.contents.LARGEST", 10)
    with pytest.raises(ResourceLimitExceeded, match="too large"):
        store.add(*metered(NOW, NOW + minutes(5)), NOW + minutes(10))
    monkeypatch.undo()
    assert store.until() == NOW + minutes(5)
    assert {each.idle for each in store.tallies(ALWAYS)} == {minutes(5)}


@pytest.mark.parametrize(
    ("attributes", "word"),
    [
        ({"content": "{"}, "tallies"),
        ({"content": b"torn"}, "torn"),
        ({"content": 7}, "neither"),
        ({"content": '{"tallies": [[1]]}'}, "8 values"),
        ({"content": '{"tallies": 1}'}, "list"),
        ({"through": "often"}, "through"),
    ],
)
def test_a_damaged_place_is_never_left_out_of_a_sum(table, attributes, word):
    store = DynamoSpendStore(table)
    store.add(*metered(NOW, NOW + minutes(5)), NOW + minutes(5))
    store.add([], [], NOW + minutes(6))
    item = next(iter(table.query("spend", begins="0")))
    held = {name: value for name, value in item.items() if name not in {"pk", "sk"}}
    table.write([table.change.put(("spend", item["sk"]), {**held, **attributes})])
    with pytest.raises(Unreadable, match=word):
        store.tallies(ALWAYS)


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ("300000000]", "-1]", "spans"),
        ("300000000]", '"long"]', "spans"),
        ("300000000]", f"{10**30}]", "longer"),
        ('"0.60"', '"dear"', "hourly"),
        ('"0.60"', '"-1"', "hourly"),
        ('"0.60"', '"NaN"', "hourly"),
        ("2026-", "once-", "instant"),
        ('"falcon"', "7", "not a text"),
    ],
)
def test_a_damaged_value_is_never_left_out_of_a_sum(old, new, word):
    batch = ledger.Ledger()
    batch.add(*metered(NOW, NOW + minutes(5)), NOW)
    content = batch.write()
    assert old in content
    with pytest.raises(Unreadable, match=word):
        ledger.Ledger.read(content.replace(old, new))


@pytest.mark.parametrize(
    "attributes", [{"until": "now"}, {"number": 0}, {"id": 7}, {"content": "{"}]
)
def test_a_damaged_batch_is_never_left_out_and_never_added_to(table, attributes):
    store = DynamoSpendStore(table)
    store.add(*metered(NOW, NOW + minutes(5)), NOW + minutes(5))
    held = {k: v for k, v in table.get("known", "spend").items() if k not in {"pk", "sk"}}
    table.write([table.change.put(("known", "spend"), {**held, **attributes})])
    asked = store.until if "until" in attributes else partial(store.tallies, ALWAYS)
    with pytest.raises(Unreadable):
        asked()
    with pytest.raises(Unreadable):
        store.add([], [], NOW + minutes(6))
