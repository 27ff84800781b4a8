"""The contract of the backlog's store."""

from dataclasses import replace

import pytest

from parkade.domain.errors import AlreadyExists, NotFound
from parkade.ports.backlog import RequestStatus
from tests.builders import NOW, an_async_request, minutes


@pytest.fixture
def backlog(store):
    return store.backlog


def test_a_request_comes_back_with_every_field_and_its_body(backlog):
    request = an_async_request(
        input_location="s3://bucket/in", include_response_in=("ERROR_NOTIFICATION_TOPIC",)
    )
    backlog.add(request, b"\x00\xff body")
    assert backlog.get(request.id) == request
    assert backlog.body(request.id) == b"\x00\xff body"


def test_a_request_is_not_added_twice(backlog):
    backlog.add(an_async_request(), b"one")
    with pytest.raises(AlreadyExists, match="r-1"):
        backlog.add(an_async_request(), b"two")
    assert backlog.body("r-1") == b"one"


def test_what_is_not_there_is_told(backlog):
    for ask in (backlog.get, backlog.body):
        with pytest.raises(NotFound, match="r-1"):
            ask("r-1")


def test_the_body_stays_where_the_request_changes(backlog):
    backlog.add(an_async_request(), b"body")
    changed = an_async_request(status=RequestStatus.RUNNING, attempts=2)
    backlog.put(changed)
    assert backlog.get("r-1") == changed
    assert backlog.body("r-1") == b"body"


def test_open_are_those_that_have_not_ended_or_are_not_told_in_their_order(backlog):
    ended = {"status": RequestStatus.COMPLETED, "finished_at": NOW}
    for request_id, at, changes in (
        ("late", minutes(2), {"status": RequestStatus.RUNNING}),
        ("b", minutes(0), {}),
        ("a", minutes(0), {}),
        ("untold", minutes(1), ended),
        ("told", minutes(1), {**ended, "told": True}),
    ):
        request = an_async_request(request_id, received_at=NOW + at)
        backlog.add(request, b"")
        backlog.put(replace(request, **changes))
    assert [each.id for each in backlog.open()] == ["a", "b", "untold", "late"]


def test_forgotten_is_what_was_told_and_finished_before(backlog):
    for request_id, finished_at, told in (
        ("old", NOW - minutes(1), True),
        ("untold", NOW - minutes(1), False),
        ("new", NOW, True),
        ("running", None, False),
    ):
        backlog.add(an_async_request(request_id, finished_at=finished_at, told=told), b"")
    # Told, and yet pending, is nothing that happens; it is kept all the same.
    backlog.put(
        an_async_request(
            "old", status=RequestStatus.FAILED, finished_at=NOW - minutes(1), told=True
        )
    )
    assert backlog.forget(NOW) == 1
    with pytest.raises(NotFound):
        backlog.get("old")
    assert {each.id for each in backlog.open()} >= {"untold", "running"}
