"""Instants that name their zone, as people write them."""

from datetime import UTC, datetime

import pytest

from parkade.domain.errors import InvalidInput
from parkade.domain.wallclock import moment


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("2026-11-23T09:00[Europe/Berlin]", "2026-11-23T08:00"),
        ("2026-11-23T09:00 europe/berlin", "2026-11-23T08:00"),
        ("2026-07-23T09:00Europe/Berlin", "2026-07-23T07:00"),
        ("2026-11-23T09:00+01:00", "2026-11-23T08:00"),
        ("2026-11-23 09:00:30-05:30", "2026-11-23T14:30:30"),
        ("2026-11-23T08:00Z", "2026-11-23T08:00"),
        ("2026-03-29T02:30[Europe/Berlin]", "2026-03-29T01:00"),  # there is no such time
        ("2026-10-25T02:30[Europe/Berlin]", "2026-10-25T00:30"),  # the first of two
    ],
)
def test_an_instant_with_its_zone(text, wanted):
    assert moment(text) == datetime.fromisoformat(wanted).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("tomorrow", "is no instant", "2026-11-23T08:00Z"),
        ("2026-11-23T09:00", "names no time zone", "[Europe/Berlin]"),
        ("2026-13-23T09:00Z", "is no instant: month", ""),
        ("2026-11-23T09:00+99:00", "is no instant", ""),
        ("0001-01-01T00:00+12:00", "is no instant", ""),
        ("0001-01-01T00:00[Asia/Tokyo]", "is no instant", ""),
        ("2026-11-23T09:00[Europe/Berln]", "'Europe/Berln' is no time zone", "'Europe/Berlin'"),
    ],
)
def test_what_is_none_is_refused_with_what_is_missing(text, message, hint):
    with pytest.raises(InvalidInput) as caught:
        moment(text)
    assert message in caught.value.message
    assert hint in caught.value.hint
    assert caught.value.field == "at"
