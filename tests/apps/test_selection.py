"""Conditions and ranges."""

from datetime import UTC, datetime

import pytest

from parkade.apps.selection import Selection, select
from parkade.ports.objects import ObjectInfo

INFO = ObjectInfo(
    bucket="models",
    key="key",
    size=10,
    etag="abc",
    modified_at=datetime(2026, 3, 1, 12, 0, 0, 500, tzinfo=UTC),
)
AT = "Sun, 01 Mar 2026 12:00:00 GMT"
EARLIER = "Sun, 01 Mar 2026 11:59:59 GMT"
LATER = "Sun, 01 Mar 2026 12:00:01 GMT"


def part(start, end):
    return Selection(status=206, start=start, end=end)


WHOLE = Selection(status=200, end=10)
OUTSIDE = Selection(status=416)


@pytest.mark.parametrize(
    ("asked", "selected"),
    [
        ("bytes=0-0", part(0, 1)),
        ("bytes=2-5", part(2, 6)),
        ("bytes=2-", part(2, 10)),
        ("bytes=2-100", part(2, 10)),
        ("bytes=-3", part(7, 10)),
        ("bytes=-100", part(0, 10)),
        ("Bytes = 1 - 2", part(1, 3)),
        ("bytes=10-", OUTSIDE),
        ("bytes=10-20", OUTSIDE),
        ("bytes=-0", OUTSIDE),
        ("bytes=5-2", WHOLE),
        ("bytes=-", WHOLE),
        ("bytes=0-1,3-4", WHOLE),
        ("bytes=x-2", WHOLE),
        ("bytes=٣-٤", WHOLE),
        ("lines=0-1", WHOLE),
        ("bytes=0-" + "9" * 5000, WHOLE),
        ("", WHOLE),
    ],
)
def test_a_range_selects_a_part(asked, selected):
    assert select({"range": asked}, INFO) == selected


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"if-match": '"abc"'}, 200),
        ({"if-match": "abc"}, 200),
        ({"if-match": '"other", "abc"'}, 200),
        ({"if-match": "*"}, 200),
        ({"if-match": '"other"'}, 412),
        ({"if-none-match": '"abc"'}, 304),
        ({"if-none-match": 'W/"abc"'}, 304),
        ({"if-none-match": "*"}, 304),
        ({"if-none-match": '"other"'}, 200),
        ({"if-modified-since": AT}, 304),
        ({"if-modified-since": LATER}, 304),
        ({"if-modified-since": EARLIER}, 200),
        ({"if-modified-since": "yesterday"}, 200),
        ({"if-unmodified-since": AT}, 200),
        ({"if-unmodified-since": EARLIER}, 412),
        ({"if-match": '"abc"', "if-unmodified-since": EARLIER}, 200),
        ({"if-none-match": '"other"', "if-modified-since": LATER}, 200),
        ({"if-match": '"other"', "range": "bytes=0-1"}, 412),
        ({"if-range": '"abc"', "range": "bytes=0-1"}, 206),
        ({"if-range": '"other"', "range": "bytes=0-1"}, 200),
        ({"if-range": AT, "range": "bytes=0-1"}, 206),
        ({"if-range": EARLIER, "range": "bytes=0-1"}, 200),
    ],
)
def test_conditions_decide_first(headers, status):
    assert select(headers, INFO).status == status


def test_headers_tell_which_part_it_is():
    assert WHOLE.headers(10) == {"Content-Length": "10"}
    assert part(2, 6).headers(10) == {"Content-Length": "4", "Content-Range": "bytes 2-5/10"}
    assert OUTSIDE.headers(10) == {"Content-Range": "bytes */10"}


def test_an_empty_object_has_no_part():
    from dataclasses import replace

    empty = replace(INFO, size=0)
    assert select({"range": "bytes=0-"}, empty) == OUTSIDE
    assert select({"range": "bytes=-5"}, empty) == OUTSIDE
    assert select({}, empty) == Selection(status=200, end=0)
