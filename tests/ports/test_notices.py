"""The contract of notices; how they are delivered from the history is the outbox's business."""

import json

import pytest

from parkade.adapters.aws.sns import SnsNotices
from parkade.adapters.memory.events import MemoryHistory
from parkade.adapters.memory.notices import MemoryNotices
from parkade.domain.actions import NoticeKind
from parkade.ports.events import EventQuery
from parkade.ports.notices import Notice
from parkade.services.notices import RecordedNotices
from tests.builders import NOW, minutes
from tests.queues import Queue


def a_notice(text="it stops", **changes):
    defaults = {"at": NOW, "kind": NoticeKind.STUCK, "endpoint_name": "falcon", "owner": "ann"}
    return Notice(text=text, **{**defaults, **changes})


@pytest.fixture(params=["memory", "recorded", "sns"])
def carried(request):
    """The notices, and the texts of what they have been told so far."""
    if request.param == "memory":
        notices = MemoryNotices()
        return notices, lambda: [notice.text for notice in notices.told]
    if request.param == "sns":
        # A topic that keeps the order: others do not promise one.
        queue = Queue(request.getfixturevalue("aws"), fifo=True)
        notices = SnsNotices(request.getfixturevalue("aws"), queue.arn)
        return notices, lambda: [json.loads(each["Message"])["text"] for each in queue.take()]
    history = MemoryHistory()
    return RecordedNotices(history), lambda: [e.reason for e in history.read(EventQuery())]


def test_notices_are_kept_in_the_order_they_were_told(carried):
    notices, texts = carried
    for text in ("1", "2", "3"):
        notices.tell(a_notice(text))
    assert texts() == ["1", "2", "3"]


def test_a_notice_is_an_event_that_holds_all_of_it():
    history = MemoryHistory()
    RecordedNotices(history, lambda name: f"http://x/{name}").tell(
        a_notice(kind=NoticeKind.EXPIRY, expires_at=NOW + minutes(10))
    )
    (event,) = history.read(EventQuery())
    assert (event.kind, event.actor, event.endpoint_name) == ("notice.expiry", "meter", "falcon")
    assert (event.at, event.owner, event.reason) == (NOW, "ann", "it stops")
    assert event.data == {
        "notice": "expiry",
        "text": "it stops",
        "owner": "ann",
        "expires_at": "2026-03-01T12:10:00Z",
        "link": "http://x/falcon",
    }


@pytest.mark.parametrize(
    ("kind", "linked"),
    [(kind, kind in {NoticeKind.EXPIRY, NoticeKind.IDLE}) for kind in NoticeKind],
)
def test_a_link_comes_with_what_more_time_helps_against(kind, linked):
    history = MemoryHistory()
    RecordedNotices(history, lambda _: "http://x/").tell(a_notice(kind=kind))
    (event,) = history.read(EventQuery())
    assert ("link" in event.data) is linked


def test_there_is_no_link_where_none_can_be_made_and_a_given_one_stays():
    history = MemoryHistory()
    notices = RecordedNotices(history, lambda _: "")
    notices.tell(a_notice(kind=NoticeKind.EXPIRY))
    notices.tell(a_notice(kind=NoticeKind.STUCK, link="http://given/"))
    assert [event.data.get("link") for event in history.read(EventQuery())] == [
        None,
        "http://given/",
    ]
