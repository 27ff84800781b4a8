"""The table itself: refusals, throttling, pages; and what leases and events have beside contracts."""

import logging
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import pytest

from parkade.adapters.aws.dynamodb import leases
from parkade.adapters.aws.dynamodb.changes import absent, equal
from parkade.adapters.aws.dynamodb.events import DynamoHistory
from parkade.adapters.aws.dynamodb.leases import COIN_LIFE, DynamoLeaseBook
from parkade.adapters.aws.dynamodb.shape import DUE, MAIN
from parkade.adapters.aws.dynamodb.table import Table
from parkade.adapters.memory.clock import ManualClock
from parkade.domain.errors import (
    AlreadyExists,
    InvalidInput,
    Throttled,
    Unavailable,
    Unreadable,
    VersionConflict,
)
from parkade.domain.lease import EndReason, end
from parkade.ports.events import EventQuery
from tests.aws_account import a_table, an_account
from tests.builders import NOW, a_coin, a_lease, an_event, minutes


@pytest.fixture(scope="module")
def account(aws_config):
    """An account of its own: what answers in place of AWS must not answer other tests."""
    return an_account(aws_config)


@pytest.fixture
def table(account):
    return a_table(account)


@pytest.fixture
def book(table):
    return DynamoLeaseBook(DynamoHistory(table, ManualClock(NOW)))


@pytest.fixture(autouse=True)
def _at_once(monkeypatch):
    """Wait for nothing between attempts."""
    monkeypatch.setattr("tenacity.nap.time", SimpleNamespace(sleep=lambda _: None))


class Instead:
    """Answers an operation in place of AWS, for as long as there are answers."""

    def __init__(self, account, operation, *answers):
        self.answers = list(answers)
        self.requests = 0
        self._event = f"before-call.dynamodb.{operation}"
        self._events = account.client("dynamodb").meta.events

    def _answer(self, **_):
        self.requests += 1
        if not self.answers:
            return None
        answer = self.answers.pop(0)
        return answer() if callable(answer) else answer

    def __enter__(self):
        self._events.register(self._event, self._answer)
        return self

    def __exit__(self, *_):
        self._events.unregister(self._event, self._answer)


def refusal(code, reasons=()):
    """What AWS refuses with; each reason is a code, or None for a change that is not to blame."""
    told = {
        "Error": {"Code": code, "Message": f"because of {code}"},
        "ResponseMetadata": {"HTTPStatusCode": 400},
        "CancellationReasons": [{"Code": each or "None"} for each in reasons],
    }
    return SimpleNamespace(status_code=400), told


def answer(**members):
    return SimpleNamespace(status_code=200), {**members, "ResponseMetadata": {}}


def cancelled(*reasons):
    return refusal("TransactionCanceledException", reasons)


def a_change(table, key="a", **options):
    return table.change.put(("thing", key), {"content": "it"}, **options)


def test_a_transaction_that_another_is_in_the_way_of_is_tried_again_and_logged(
    account, table, caplog
):
    caplog.set_level(logging.INFO)
    conflicts = (
        cancelled("TransactionConflict"),
        cancelled("TransactionConflict"),
        refusal("TransactionConflictException"),
    )
    with Instead(account, "TransactWriteItems", *conflicts) as stand_in:
        table.write([a_change(table)])
    assert stand_in.requests == 4
    assert table.get("thing", "a")["content"] == "it"
    assert caplog.text.count("others write the same item") == 3


def test_what_stays_in_the_way_is_a_lost_race(account, table):
    with (
        Instead(
            account, "TransactWriteItems", *[cancelled("TransactionConflict")] * 99
        ) as stand_in,
        pytest.raises(VersionConflict, match="others write the same item"),
    ):
        table.write([a_change(table)])
    assert 5 <= stand_in.requests <= 20
    assert table.get("thing", "a") is None


def test_a_condition_that_does_not_hold_says_what_it_means_and_nothing_is_written(table):
    def lost(item):
        return AlreadyExists(f"there is {item['content']}")

    table.write([a_change(table)])
    with pytest.raises(AlreadyExists, match="there is it"):
        table.write([a_change(table, "b"), a_change(table, where=absent("pk"), lost=lost)])
    assert table.get("thing", "b") is None


def test_a_lost_condition_says_more_than_a_conflict_beside_it(account, table):
    reasons = cancelled("TransactionConflict", None, "ConditionalCheckFailed")
    changes = [
        a_change(table),
        a_change(table, "b"),
        a_change(table, "c", where=equal(content="x"), lost=lambda _: AlreadyExists("it is c")),
    ]
    with (
        Instead(account, "TransactWriteItems", reasons),
        pytest.raises(AlreadyExists, match="it is c"),
    ):
        table.write(changes)


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (cancelled("ThrottlingError"), Throttled),
        (cancelled(None, "ProvisionedThroughputExceeded"), Throttled),
        (cancelled("ValidationError"), InvalidInput),
        (cancelled("SomethingElse"), Unavailable),
        (refusal("ThrottlingException"), Throttled),
        (refusal("InternalServerError"), Unavailable),
    ],
)
def test_every_other_refusal_is_told_apart(account, table, reply, kind):
    with (
        Instead(account, "TransactWriteItems", reply),
        pytest.raises(kind, match=table.name),
    ):
        table.write([a_change(table), a_change(table, "b")])


def test_listeners_hear_of_what_was_written_alone(account, table):
    heard = []
    table.watch(lambda: heard.append(table.get("thing", "a")["content"]))
    with Instead(account, "TransactWriteItems", cancelled("ValidationError")):
        with pytest.raises(InvalidInput):
            table.write([a_change(table)])
        assert heard == []
        table.write([a_change(table)])
    assert heard == ["it"]


def test_more_changes_than_a_transaction_takes_are_refused_before_they_are_sent(table):
    with pytest.raises(InvalidInput, match="101 changes"):
        table.write([a_change(table, str(number)) for number in range(101)])


def test_keys_that_were_left_out_are_asked_for_again(account, table, caplog):
    caplog.set_level(logging.INFO)
    for key in "abc":
        table.write([a_change(table, key)])
    keys = [table.change.keyed(("thing", key)) for key in "bc"]
    half = answer(
        Responses={table.name: [{**table.change.keyed(("thing", "a")), "content": {"S": "it"}}]},
        UnprocessedKeys={table.name: {"Keys": keys, "ConsistentRead": True}},
    )
    with Instead(account, "BatchGetItem", half) as stand_in:
        found = list(table.many([("thing", key) for key in "abc"]))
    assert sorted(item["sk"] for item in found) == ["a", "b", "c"]
    assert stand_in.requests == 2
    assert "2 of 3 keys were left out" in caplog.text


def test_keys_that_are_left_out_on_and_on_are_throttling(account, table):
    keys = [table.change.keyed(("thing", "a"))]
    none = answer(Responses={}, UnprocessedKeys={table.name: {"Keys": keys}})
    with Instead(account, "BatchGetItem", *[none] * 99), pytest.raises(Throttled):
        list(table.many([("thing", "a")]))


def test_more_than_a_page_holds_is_read_page_by_page(account, table):
    # A page is a megabyte at most.
    for number in range(25):
        table.write([table.change.put(("thing", f"{number:02}"), {"content": "x" * 100_000})])
    with Instead(account, "Query") as stand_in:
        found = [item["sk"] for item in table.query("thing")]
    assert found == [f"{number:02}" for number in range(25)]
    assert stand_in.requests >= 3
    with Instead(account, "Scan") as stand_in:
        assert len(list(table.scan())) == 25
    assert stand_in.requests >= 3
    with Instead(account, "Query") as stand_in:
        assert [item["sk"] for item in table.query("thing", newest_first=True, limit=2)] == [
            "24",
            "23",
        ]
    assert stand_in.requests == 1


def test_a_table_that_is_not_there_is_told_with_what_to_do(account):
    gone = Table(account, "nowhere", MAIN)
    for call in (
        lambda: gone.get("lease", "falcon"),
        lambda: list(gone.query("lease")),
        lambda: gone.write([a_change(gone)]),
    ):
        with pytest.raises(Unavailable, match="no table 'nowhere' in eu-west-1") as told:
            call()
        assert "parkade cloud deploy" in told.value.hint


def test_two_processes_of_one_instant_number_their_events_apart(account, table):
    clock = ManualClock(NOW)
    histories = [DynamoHistory(Table(account, table.name, MAIN), clock) for _ in range(2)]
    stored = [history.append(an_event()) for _ in range(3) for history in histories]
    assert len({event.number for event in stored}) == 6
    read = histories[0].read(EventQuery())
    assert [event.number for event in read] == sorted(event.number for event in stored)


class Behind(Table):
    """A table whose indexes follow later than any test lasts."""

    def query(self, partition, *, index=None, **options):
        return iter(()) if index else super().query(partition, **options)


def test_what_was_told_about_an_endpoint_is_read_back_before_its_index_has_it(account, table):
    history = DynamoHistory(Behind(account, table.name, MAIN), ManualClock(NOW))
    told = [
        history.append(an_event(kind)) for kind in ("lease.added", "lease.extended", "worker.died")
    ]
    history.append(an_event(endpoint_name="flan"))
    assert history.read(EventQuery(endpoint_name="falcon")) == told
    assert history.latest(EventQuery(endpoint_name="falcon", limit=1)) == told[2:]
    assert history.read(EventQuery(endpoint_name="falcon", kinds=("lease.",), limit=1)) == told[:1]
    assert history.read(EventQuery(endpoint_name="falcon", after=told[0].number)) == told[1:]


def test_what_was_told_is_remembered_for_as_long_as_an_index_needs(account, table):
    clock = ManualClock(NOW)
    history = DynamoHistory(Behind(account, table.name, MAIN), clock)
    history.append(an_event())
    clock.advance(minutes(1))
    later = history.append(an_event("worker.died"))
    assert history.read(EventQuery(endpoint_name="falcon")) == [later]


@pytest.mark.parametrize("endpoint_name", [None, "falcon"])
def test_what_happened_long_before_an_instant_is_not_even_read(table, monkeypatch, endpoint_name):
    clock = ManualClock(NOW)
    history = DynamoHistory(table, clock)
    history.append(an_event("lease.added", at=NOW))
    clock.advance(minutes(60 * 24))
    # Told within the hour of what happened before it, by a clock that goes after.
    last = history.append(an_event("lease.ended", at=clock.now() + minutes(5)))
    since = clock.now() + minutes(1)
    read, query = [], table.query

    def reading(*arguments, **more):
        read.extend(query(*arguments, **{**more, "where": None}))
        return query(*arguments, **more)

    monkeypatch.setattr(table, "query", reading)
    asked = EventQuery(endpoint_name=endpoint_name, since=since)
    for found in (history.read(asked), history.latest(asked)):
        assert [each.number for each in found] == [last.number]
    assert {each["kind"] for each in read} == {"lease.ended"}


def test_a_lease_that_was_torn_after_it_was_read_is_not_written_over(account, table, book):
    lease = book.put(a_lease(), an_event())

    def tear():
        stand_in.answers.insert(0, None)  # this write is no other's
        table.write([table.change.put(("lease", "falcon"), {"content": "{"})])

    longer = replace(lease, expires_at=NOW + minutes(60))
    with Instead(account, "TransactWriteItems", tear) as stand_in, pytest.raises(Unreadable):
        book.put(longer, an_event("lease.extended"))
    assert table.get("lease", "falcon")["content"] == "{"
    with Instead(account, "TransactWriteItems"), pytest.raises(Unreadable):
        book.put(a_lease(), an_event())


def test_a_closed_lease_leaves_the_index(table, book):
    lease = book.put(a_lease(), an_event())
    assert [item["sk"] for item in table.query("open", index=DUE)] == ["falcon"]
    book.put(end(lease, EndReason.STOPPED, NOW), an_event("lease.ended"))
    assert list(table.query("open", index=DUE)) == []


def test_leases_are_in_the_index_by_their_expiry(table, book):
    for name, amount in (("late", 90), ("soon", 5), ("mid", 30)):
        book.put(a_lease(endpoint_name=name, expires_at=NOW + minutes(amount)), an_event())
    found = [item["sk"] for item in table.query("open", index=DUE)]
    assert found == ["soon", "mid", "late"]


def test_any_number_of_coins_goes_with_its_lease(table, book, monkeypatch):
    monkeypatch.setattr(leases, "_AT_ONCE", 3)
    monkeypatch.setattr(leases, "MOST_CHANGES", 2)
    lease = book.put(a_lease(), an_event())
    for number in range(8):
        lease = book.put(lease, an_event(), coin=a_coin(f"key-{number}"))
    book.remove(lease, an_event("lease.removed"))
    assert list(table.query("coin")) == []


def test_a_coin_of_a_lease_that_is_gone_is_void_though_its_item_is_there(table, book):
    coin = a_coin()
    lease = book.put(a_lease(), an_event(), coin=coin)
    left = next(iter(table.query("coin")))
    book.remove(lease, an_event("lease.removed"))
    # As after a crash between the removal and what follows it.
    beside = {name: value for name, value in left.items() if name not in {"pk", "sk"}}
    table.write([table.change.put(("coin", left["sk"]), beside)])
    assert book.spent(coin) is None
    again = book.put(a_lease(created_at=NOW + minutes(1)), an_event(), coin=coin)
    assert book.spent(coin) == again


def test_dynamodb_may_remove_a_coin_in_time(table, book):
    book.put(a_lease(), an_event(at=NOW), coin=a_coin())
    (item,) = table.query("coin")
    assert item[MAIN.goes_at] == (NOW + COIN_LIFE).timestamp()


def test_a_sweep_and_an_authorizer_begin_without_pydantic():
    script = (
        "import sys;"
        "from parkade.adapters.aws.dynamodb import events, leases, purses, tokens;"
        "assert not {'pydantic', 'fastapi', 'boto3'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
