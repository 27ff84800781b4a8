"""Lists are filtered and sorted, and their pages hold each entry once."""

from dataclasses import dataclass
from datetime import datetime

import pytest

from parkade.apps.sagemaker.listing import PAGE, Listed, page
from parkade.apps.wire.faults import Fault
from tests.builders import NOW, seconds


@dataclass(frozen=True)
class Record:
    name: str
    created_at: datetime = NOW
    changed_at: datetime = NOW
    status: str = "InService"


LISTED = Listed(
    name=lambda each: each.name,
    created_at=lambda each: each.created_at,
    changed_at=lambda each: each.changed_at,
    status=lambda each: each.status,
)
RECORDS = [
    Record("beta", NOW + seconds(1), NOW + seconds(9), "Creating"),
    Record("alpha", NOW + seconds(2), NOW + seconds(8)),
    Record("gamma", NOW + seconds(2), NOW + seconds(7), "Failed"),
    Record("alphabet", NOW + seconds(0.5), NOW + seconds(6)),
]


def names(records=RECORDS, **given):
    found, _ = page(records, LISTED, given)
    return [each.name for each in found]


def every_page(**given):
    pages, token = [], None
    while True:
        found, token = page(RECORDS, LISTED, {**given, **({"NextToken": token} if token else {})})
        pages.append([each.name for each in found])
        if token is None:
            return pages


def test_the_newest_come_first_unless_asked_otherwise():
    assert names() == ["gamma", "alpha", "beta", "alphabet"]
    assert names(SortOrder="Ascending") == ["alphabet", "beta", "alpha", "gamma"]


@pytest.mark.parametrize(
    ("sort_by", "wanted"),
    [
        ("Name", ["alpha", "alphabet", "beta", "gamma"]),
        ("Status", ["beta", "gamma", "alpha", "alphabet"]),
    ],
)
def test_lists_are_sorted_as_asked(sort_by, wanted):
    assert names(SortBy=sort_by, SortOrder="Ascending") == wanted
    assert names(SortBy=sort_by, SortOrder="Descending") == wanted[::-1]


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"NameContains": "alpha"}, {"alpha", "alphabet"}),
        ({"NameContains": "Alpha"}, set()),
        ({"StatusEquals": "Failed"}, {"gamma"}),
        ({"CreationTimeAfter": NOW + seconds(2)}, {"alpha", "gamma"}),
        ({"CreationTimeBefore": NOW + seconds(2)}, {"beta", "alphabet"}),
        ({"LastModifiedTimeAfter": NOW + seconds(8)}, {"beta", "alpha"}),
        ({"LastModifiedTimeBefore": NOW + seconds(7)}, {"alphabet"}),
        ({"CreationTimeAfter": NOW, "CreationTimeBefore": NOW + seconds(1)}, {"alphabet"}),
    ],
    ids=lambda each: "-".join(each) if isinstance(each, dict) else "",
)
def test_lists_are_filtered(given, wanted):
    assert set(names(**given)) == wanted


@pytest.mark.parametrize("sort_by", ["Name", "CreationTime", "Status"])
@pytest.mark.parametrize("order", ["Ascending", "Descending"])
@pytest.mark.parametrize("size", [1, 2, 3, 4, 5])
def test_pages_hold_each_entry_once_in_order(sort_by, order, size):
    asked = {"SortBy": sort_by, "SortOrder": order}
    pages = every_page(**asked, MaxResults=size)
    assert [name for each in pages for name in each] == names(**asked)
    assert all(len(each) == size for each in pages[:-1])


def test_a_page_holds_ten_where_nothing_is_asked():
    records = [Record(f"e{number:02}") for number in range(11)]
    assert len(names(records)) == PAGE == 10


def test_what_comes_and_goes_between_pages_neither_repeats_nor_hides_others():
    asked = {"SortBy": "Name", "SortOrder": "Ascending", "MaxResults": 2}
    _, token = page(RECORDS, LISTED, asked)
    left = [each for each in RECORDS if each.name != "alphabet"] + [Record("aardvark")]
    found, token = page(left, LISTED, {**asked, "NextToken": token})
    assert [each.name for each in found] == ["beta", "gamma"]
    assert token is None


@pytest.mark.parametrize(
    "token",
    ["x", "", "bm8=", "W10=", "NQ==", "eyJhIjogMSwgImIiOiAyfQ==", "Ww" * 4000, "é", "WzEsMiwzLDRd"],
    ids=range(9),
)
def test_a_token_of_somebody_elses_making_is_refused(token):
    if token:
        with pytest.raises(Fault, match="NextToken"):
            page(RECORDS, LISTED, {"NextToken": token})


def test_a_token_goes_with_the_order_it_was_given_for():
    _, token = page(RECORDS, LISTED, {"MaxResults": 1})
    with pytest.raises(Fault, match="SortBy"):
        page(RECORDS, LISTED, {"NextToken": token, "SortBy": "Name"})
