"""The contract of price lists, and of who fetches them."""

from datetime import date
from decimal import Decimal

import pytest

from parkade.adapters.aws.dynamodb.events import DynamoHistory
from parkade.adapters.aws.dynamodb.prices import DynamoPriceLists
from parkade.adapters.folder.prices import FolderPriceLists
from parkade.adapters.memory.prices import MemoryPriceLists
from parkade.adapters.system.clock import SystemClock
from parkade.domain.errors import Unavailable, Unreadable
from tests.aws_account import a_table
from tests.money import a_price_list


@pytest.fixture(params=["memory", "folder", "dynamodb"])
def lists(request, tmp_path):
    if request.param == "memory":
        return MemoryPriceLists([a_price_list()])
    if request.param == "folder":
        return FolderPriceLists(tmp_path / "prices.json")
    table = a_table(request.getfixturevalue("aws"))
    return DynamoPriceLists(DynamoHistory(table, SystemClock()))


def tear(lists):
    if hasattr(lists, "tear"):
        lists.tear()
    elif isinstance(lists, DynamoPriceLists):
        table = lists._kind.table
        table.write([table.change.put(("prices", "us-east-1"), {"content": "{}"})])
    else:
        lists._path.write_text('{"regions": {"us-east-1": {}}}')


def test_a_list_comes_along_and_others_do_not(lists):
    assert lists.packaged("us-east-1").region == "us-east-1"
    assert lists.packaged("us-east-1").quoted
    assert lists.packaged("eu-central-1") is None


def test_nothing_was_fetched_at_first(lists):
    assert lists.fetched("us-east-1") is None


def test_a_list_is_read_as_it_was_put_beside_those_of_other_regions(lists):
    first = a_price_list(quoted={"ml.a.b": Decimal("0.10")})
    second = a_price_list("eu-central-1", unconfirmed={"ml.c.d": Decimal(3)})
    for each in (first, second):
        lists.put(each)
    assert lists.fetched("us-east-1") == first
    assert lists.fetched("eu-central-1") == second
    assert str(lists.fetched("us-east-1").quoted["ml.a.b"]) == "0.10"


def test_put_takes_the_place_of_the_list_of_its_region(lists):
    lists.put(a_price_list(quoted={"ml.a.b": Decimal(1)}))
    newer = a_price_list(dated=date(2026, 3, 2), quoted={"ml.c.d": Decimal(2)})
    lists.put(newer)
    assert lists.fetched("us-east-1") == newer


def test_a_torn_list_is_unreadable_until_one_is_put(lists):
    lists.put(a_price_list())
    tear(lists)
    with pytest.raises(Unreadable):
        lists.fetched("us-east-1")
    lists.put(a_price_list())
    assert lists.fetched("us-east-1") == a_price_list()


def test_what_is_packaged_is_dated_tells_its_origin_and_keeps_what_is_unconfirmed_apart(tmp_path):
    packaged = FolderPriceLists(tmp_path / "prices.json").packaged("us-east-1")
    assert packaged.dated >= date(2026, 1, 1)
    assert "AWS's price list" in packaged.origin
    assert packaged.quoted["ml.g5.12xlarge"] == Decimal("7.09")
    assert "ml.c5.xlarge" in packaged.unconfirmed
    assert not packaged.quoted.keys() & packaged.unconfirmed.keys()


@pytest.mark.parametrize("hourly", ['"dear"', "-1", '"NaN"', '"Infinity"', "null", "[]"], ids=repr)
def test_a_file_with_a_price_that_is_none_is_unreadable(tmp_path, hourly):
    path = tmp_path / "prices.json"
    path.write_text(
        '{"regions": {"us-east-1": {"dated": "2026-03-01", "origin": "x", "quoted": '
        f'{{"ml.a.b": {hourly}}}}}}}}}'
    )
    with pytest.raises(Unreadable, match=r"ml\.a\.b"):
        FolderPriceLists(path).fetched("us-east-1")


def test_a_file_that_cannot_be_written_is_unavailable_and_stays(tmp_path):
    lists = FolderPriceLists(tmp_path / "gone" / "prices.json")
    with pytest.raises(Unavailable, match="cannot be written"):
        lists.put(a_price_list())
