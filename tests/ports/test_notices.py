"""The contract of notices; what a receiver can do is in tests/adapters/test_webhook.py."""

import pytest

from parkade.adapters.memory.events import MemoryHistory
from parkade.adapters.memory.notices import MemoryNotices
from parkade.adapters.webhook.notices import WebhookNotices
from parkade.domain.actions import NoticeKind
from parkade.ports.events import EventQuery
from parkade.ports.notices import Notice
from tests.adapters.receiver import closed_port, receiver
from tests.builders import NOW


def a_notice(text):
    return Notice(at=NOW, kind=NoticeKind.STUCK, endpoint_name="falcon", owner="", text=text)


@pytest.fixture(params=["memory", "webhook"])
def told(request):
    """Tell two notices; return what arrived and the history after."""
    history = MemoryHistory()
    if request.param == "memory":
        notices = MemoryNotices()
        for text in ("1", "2"):
            notices.tell(a_notice(text))
        return [notice.text for notice in notices.told], history
    with receiver(200) as hook:
        notices = WebhookNotices(hook.url, history)
        for text in ("1", "2"):
            notices.tell(a_notice(text))
        notices.close(limit=60)
        return [content["text"] for _, content in hook.got], history


def test_notices_are_carried_in_the_order_they_were_told(told):
    arrived, history = told
    assert arrived == ["1", "2"]
    assert history.read(EventQuery()) == []


def test_delivery_that_fails_for_good_is_in_the_history():
    history = MemoryHistory()
    notices = WebhookNotices(f"http://127.0.0.1:{closed_port()}/", history, pause=0.01)
    notices.tell(a_notice("1"))
    notices.close(limit=60)
    assert [event.kind for event in history.read(EventQuery())] == ["notice.failed"]
