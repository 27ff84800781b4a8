"""What the stores on DynamoDB have beside their contracts: long contents, damage, tags, sights."""

import json
import subprocess
import sys
from dataclasses import replace
from functools import partial
from random import Random

import pytest

from parkade.adapters.aws.dynamodb import contents
from parkade.adapters.aws.dynamodb.stores import DynamoStores
from parkade.adapters.aws.sagemaker.kept import Kept
from parkade.adapters.aws.sagemaker.sight import Part, Sight
from parkade.adapters.system.clock import SystemClock
from parkade.domain.endpoint import EndpointStatus
from parkade.domain.errors import ResourceLimitExceeded, Unreadable, VersionConflict
from parkade.domain.terms import Terms
from parkade.ports.remains import remains_of
from tests.adapters.aws.interleaving import Process, interleave
from tests.aws_account import a_table
from tests.builders import NOW, a_lease, a_recorded_endpoint, a_watch, an_event, minutes
from tests.ports.test_bookings import a_booking


@pytest.fixture
def table(aws):
    return a_table(aws)


@pytest.fixture
def stores(table):
    return stores_of(table)


def stores_of(table):
    return DynamoStores(table, SystemClock())


def noise(length):
    """A text that cannot be deflated to much less."""
    return Random(length).randbytes(length * 3 // 8).hex()  # noqa: S311  no secret


def edit(table, kind, key, **attributes):
    held = {k: v for k, v in table.get(kind, key).items() if k not in {"pk", "sk"}}
    table.write([table.change.put((kind, key), {**held, **attributes})])


def test_a_short_document_is_a_text_and_a_long_one_is_deflated():
    short, long = "ü" * (contents.PLAIN // 2), "ü" * contents.PLAIN
    assert contents.packed(short, "it") == short
    packed = contents.packed(long, "it")
    assert isinstance(packed, bytes)
    assert len(packed) < 200
    for document in (short, long):
        assert contents.unpacked(contents.packed(document, "it")) == document


@pytest.mark.parametrize("torn", [b"", b"no", contents.deflated("a" * 9999)[:-1], 7, None])
def test_what_is_torn_is_unreadable(torn):
    with pytest.raises(Unreadable):
        contents.unpacked(torn)


def test_what_no_item_could_hold_is_refused_before_it_is_sent(stores, table):
    gone = a_recorded_endpoint(status=EndpointStatus.DELETING)
    with pytest.raises(ResourceLimitExceeded, match=r"what is left of .* is too large .* 390,000"):
        stores.remains.put(remains_of(gone, {"note": noise(2_000_000)}))
    assert list(table.query("remains")) == []
    fits = remains_of(gone, {"note": noise(600_000)})
    stores.remains.put(fits)
    assert stores.remains.get(gone.name) == fits


@pytest.mark.parametrize("content", [None, 7, True])
def test_terms_that_are_set_anew_take_the_place_of_what_lost_its_content(stores, table, content):
    stores.book.put(a_lease(), an_event())
    table.write([table.change.put(("terms", "falcon"), {"content": content})])
    assert "falcon" in stores.terms.all().unreadable
    stores.terms.put(Terms(endpoint_name="falcon"), an_event())
    assert stores.terms.get("falcon").version == 1


def test_remains_of_a_large_endpoint_are_kept_deflated(stores, table):
    endpoint = a_recorded_endpoint(status=EndpointStatus.DELETING)
    model = endpoint.blueprint.models[0]
    models = tuple(
        replace(model, name=f"m-{number}", extras={"Settings": "x" * 1000}) for number in range(400)
    )
    large = replace(endpoint, blueprint=replace(endpoint.blueprint, models=models))
    stores.remains.put(remains_of(large, {"team": "a"}))
    assert stores.remains.get(large.name) == remains_of(large, {"team": "a"})
    assert len(table.get("remains", large.name)["content"]) < 50_000


def test_what_is_left_of_a_later_endpoint_is_not_forgotten_with_the_earlier(aws, stores, table):
    gone = a_recorded_endpoint(status=EndpointStatus.DELETING, changed_at=NOW)
    stores.remains.put(remains_of(gone, {}))
    forget = Process(lambda own: stores_of(own).remains.forget(NOW + minutes(5)), aws, table)
    forget.start()
    forget.until("transact_write_items")
    later = replace(gone, changed_at=NOW + minutes(10))
    stores.remains.put(remains_of(later, {}))
    interleave([forget], [])
    assert stores.remains.get(gone.name) == remains_of(later, {})


@pytest.mark.parametrize("claim", ["lease", "remains", "none"])
def test_what_is_kept_is_forgotten_once_there_is_neither_a_lease_nor_an_undo(stores, claim):
    kept = Kept(endpoint_name="falcon", since=NOW, targets=[{"ResourceId": "falcon"}])
    stores.kept.change("falcon", lambda _: kept)
    if claim == "lease":
        stores.book.put(a_lease(), an_event())
    elif claim == "remains":
        gone = a_recorded_endpoint(status=EndpointStatus.DELETING, name="falcon")
        stores.remains.put(remains_of(gone, {}))
    stores.kept.forget(NOW)
    assert list(stores.kept.all()) == ["falcon"]
    stores.kept.forget(NOW + minutes(1))
    assert list(stores.kept.all()) == ([] if claim == "none" else ["falcon"])


def test_what_is_settled_goes_with_what_is_left_by_then(aws, stores, table):
    gone = a_recorded_endpoint(status=EndpointStatus.DELETING, changed_at=NOW)
    stores.remains.put(remains_of(gone, {}))
    slow = Process(
        lambda own: stores_of(own).remains.settle(gone.name, terms=None, tags={"a": "1"}),
        aws,
        table,
    )
    slow.start()
    slow.until("transact_write_items")
    later = replace(gone, changed_at=NOW + minutes(10))
    stores.remains.put(remains_of(later, {}))
    interleave([slow], [])
    assert stores.remains.get(gone.name) == remains_of(later, {"a": "1"})


def test_stores_are_imported_when_they_are_asked_for():
    """A function that starts must not pay for what it does not use."""
    program = (
        "import sys; from parkade.adapters.aws.dynamodb.stores import DynamoStores;"
        "print(sorted({'pydantic', 'parkade.domain.deploy.deployment'} & sys.modules.keys()))"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert told.stdout.decode().strip() == "[]"


def test_nothing_has_an_empty_name(stores, table):
    assert stores.terms.get("") is None
    assert stores.budgets.purse("").version == 0
    assert list(table.many([("terms", ""), ("terms", "falcon")])) == []


def test_a_watch_whose_content_is_of_another_type_is_told_apart(stores, table):
    stores.watches.put(a_watch(), None, before=None)
    edit(table, "watch", a_watch().endpoint_name, content=7)
    listing = stores.watches.all()
    assert listing.records == ()
    assert "neither a text nor bytes" in listing.unreadable[a_watch().endpoint_name]


def test_which_bookings_there_are_is_told_where_it_is_damaged(stores, table):
    add = partial(stores.bookings.add, event=an_event("booking.added"))
    add(a_booking("b-1"), beside=frozenset())
    edit(table, "booked", "falcon", ids="{")
    with pytest.raises(Unreadable, match="'falcon'"):
        add(a_booking("b-2"), beside=frozenset({"b-1"}))
    with pytest.raises(Unreadable, match="'falcon'"):
        stores.bookings.remove("b-1", an_event("booking.removed"))


def test_a_booking_that_comes_while_another_is_removed_is_kept_in_mind(aws, stores, table):
    add = partial(stores.bookings.add, event=an_event("booking.added"))
    add(a_booking("b-1"), beside=frozenset())
    remove = Process(
        lambda own: stores_of(own).bookings.remove("b-1", an_event("booking.removed")), aws, table
    )
    remove.start()
    remove.until("transact_write_items")
    add(a_booking("b-2"), beside=frozenset({"b-1"}))
    interleave([remove], [])
    assert [each.id for each in stores.bookings.all().records] == ["b-2"]
    with pytest.raises(VersionConflict):
        add(a_booking("b-3"), beside=frozenset())
    add(a_booking("b-3"), beside=frozenset({"b-2"}))


def test_tags_are_kept_by_kind_and_name_until_there_are_none(stores):
    stores.tags.put_tags("endpoint", "falcon", {"b": "2", "a": "ü"})
    stores.tags.put_tags("endpoint-config", "falcon", {"c": "3"})
    stores.tags.put_tags("endpoint", "ant", {"long": "x" * 5000})
    assert list(stores.tags.tags("endpoint", "falcon").items()) == [("a", "ü"), ("b", "2")]
    assert list(stores.tags.tagged("endpoint").tags) == ["ant", "falcon"]
    stores.tags.put_tags("endpoint", "falcon", {})
    assert stores.tags.tags("endpoint", "falcon") == {}
    assert list(stores.tags.tagged("endpoint").tags) == ["ant"]


@pytest.mark.parametrize("content", ["{", "[]", '{"a": 1}', b"torn"])
def test_damaged_tags_hide_no_others(stores, table, content):
    for name in ("falcon", "ant"):
        stores.tags.put_tags("endpoint", name, {"a": "1"})
    edit(table, "tags", "endpoint/falcon", content=content)
    found = stores.tags.tagged("endpoint")
    assert (list(found.tags), list(found.unreadable)) == (["ant"], ["falcon"])
    with pytest.raises(Unreadable, match="'falcon'"):
        stores.tags.tags("endpoint", "falcon")


def test_sights_are_remembered_whole_and_in_any_number(stores, table):
    seen = {
        f"e-{number}": Sight(
            name=f"e-{number}",
            status=EndpointStatus.IN_SERVICE,
            created_at=NOW,
            changed_at=NOW + minutes(number),
            config_name="c",
            parts=(Part(name="blue", instance_type="ml.c5.large", current=1, desired=2),),
        )
        for number in range(130)
    }
    stores.sights.put(list(seen.values()))
    assert stores.sights.all() == seen
    stores.sights.forget([*list(seen)[:110], "never-seen"])
    assert stores.sights.all() == dict(list(seen.items())[110:])
    edit(table, "sight", "e-120", content=json.dumps({"name": "e-120"}))
    assert "e-120" not in stores.sights.all()
    stores.sights.put([])
