"""What a tester's content says, and when it is due."""

from datetime import timedelta

import pytest

from parkade.domain.errors import InvalidInput
from parkade.domain.tester import order
from tests.builders import NOW, a_tester, minutes

CASES = [{"id": 1, "input": "x", "expected": "y", "content_type": "text/plain"}]


def test_what_is_left_out_is_filled_in():
    settled = order.settled({"route": "/text", "cases": CASES})
    assert settled["clients"] == 5
    assert settled["interval_seconds"] == 1.0
    assert settled["schedule"] is None
    assert order.settled(settled) == settled
    read = order.read(settled)
    assert (read.path, read.endpoint_name, read.labels.by_route) == ("/text", "", True)


def test_an_endpoint_is_asked_by_its_name():
    read = order.read({"endpoint_name": "text", "variant": "Model-A", "cases": "s3://a-b/c.json"})
    assert read.path == "/endpoints/text/invocations"
    assert (read.variant, read.cases, read.cases_url) == ("Model-A", "", "s3://a-b/c.json")


def test_an_empty_stage_is_that_of_no_project():
    read = order.read({"route": "/text", "cases": CASES, "project": "Text", "stage": ""})
    assert read.labels.dimensions == {"Project": "Text", "Stage": "prod", "Type": "Route"}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"route": "/text"}, "endpoint_name"),
        ({"endpoint_name": None}, "endpoint_name"),
        ({"endpoint_name": "no name"}, "endpoint_name"),
        ({"endpoint_name": None, "route": "/v1"}, "route"),
        ({"endpoint_name": None, "route": "/text", "variant": "a"}, "variant"),
        ({"cases": []}, "cases"),
        ({"cases": [{"id": 1}]}, "cases"),
        ({"cases": "cases.json"}, "cases"),
        ({"cases": None}, "cases"),
        ({"clients": 0}, "clients"),
        ({"clients": 1.5}, "clients"),
        ({"clients": True}, "clients"),
        ({"interval_seconds": "1"}, "interval_seconds"),
        ({"duration_seconds": -1}, "duration_seconds"),
        ({"schedule": "daily"}, "schedule"),
        ({"schedule": 5}, "schedule"),
        ({"timezone": "Europe/Berlin"}, "schedule"),
        ({"schedule": "rate(1 day)", "timezone": "Mars"}, "timezone"),
        ({"stage": "ü"}, "stage"),
        ({"client": 5}, "client"),
    ],
)
def test_what_cannot_be_is_refused_by_its_member(changes, field):
    with pytest.raises(InvalidInput) as caught:
        order.read({"endpoint_name": "text", "cases": CASES, **changes})
    assert caught.value.field == field


def test_a_rate_counts_from_when_it_was_set():
    tester = a_tester(content={"schedule": "rate(5 minutes)"})
    asked = order.read(tester.content)
    assert tester.due(asked, NOW + minutes(4.9)) is None
    assert tester.due(asked, NOW + minutes(5)) == NOW + minutes(5)
    assert tester.due(asked, NOW + minutes(23)) == NOW + minutes(20)
    seen = tester.seen(NOW + minutes(23))
    assert seen.due(asked, NOW + minutes(24)) is None
    assert seen.next_after(asked, NOW + minutes(24)) == NOW + minutes(25)


def test_a_cron_is_read_from_its_zone():
    content = {"schedule": "cron(0 9 ? * * *)", "timezone": "Europe/Berlin"}
    tester = a_tester(content=content)
    asked = order.read(tester.content)
    due = tester.next_after(asked, NOW)
    assert due.hour == 8  # in winter
    assert tester.due(asked, due) == due
    assert tester.due(asked, due - timedelta(seconds=1)) is None


def test_without_a_schedule_it_is_never_due():
    tester = a_tester()
    asked = order.read(tester.content)
    assert tester.due(asked, NOW + timedelta(days=400)) is None
    assert tester.next_after(asked, NOW) is None
