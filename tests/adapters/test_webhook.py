"""Notices to receivers that listen, refuse, stumble, hang, or are not there."""

import logging
import threading
import time
from contextlib import closing, contextmanager

import pytest

from parkade.adapters.memory.events import MemoryHistory
from parkade.adapters.webhook.notices import WebhookNotices
from parkade.domain.actions import NoticeKind
from parkade.domain.errors import Unavailable
from parkade.ports.events import EventQuery
from parkade.ports.notices import Notice
from tests.adapters.receiver import closed_port, receiver
from tests.builders import NOW, minutes


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def a_notice(text="10 min left", **changes):
    defaults = {
        "at": NOW,
        "kind": NoticeKind.EXPIRY,
        "endpoint_name": "falcon",
        "owner": "ann",
        "expires_at": NOW + minutes(10),
    }
    return Notice(text=text, **{**defaults, **changes})


class WatchedHistory(MemoryHistory):
    """A history that can be waited for."""

    def __init__(self):
        super().__init__()
        self.grown = threading.Condition()

    def append(self, event):
        with self.grown:
            stored = super().append(event)
            self.grown.notify_all()
            return stored

    def wait_for(self, number):
        with self.grown:
            assert self.grown.wait_for(lambda: len(self.all()) >= number, 60)
        return self.all()

    def all(self):
        return self.read(EventQuery(limit=10_000))


@contextmanager
def notices(url, history=None, **options):
    built = WebhookNotices(url, history or WatchedHistory(), pause=0.01, **options)
    with closing(built):
        yield built


def texts(got):
    return [content["text"] for _, content in got]


def test_a_notice_arrives_as_json():
    with receiver(200) as hook, notices(hook.url) as sender:
        sender.tell(a_notice())
        ((kind, content),) = hook.wait_for(1)
    assert kind == "application/json"
    assert content == {
        "kind": "expiry",
        "endpoint_name": "falcon",
        "owner": "ann",
        "text": "10 min left",
        "at": "2026-03-01T12:00:00Z",
        "expires_at": "2026-03-01T12:10:00Z",
    }


def test_notices_arrive_in_order_and_nothing_is_added_to_the_history():
    history = WatchedHistory()
    with receiver(204) as hook, notices(hook.url, history) as sender:
        for number in range(20):
            sender.tell(a_notice(str(number), expires_at=None))
        got = hook.wait_for(20)
        sender.close()
    assert texts(got) == [str(number) for number in range(20)]
    assert history.all() == []


def test_without_a_url_a_notice_is_a_line_of_the_log(caplog):
    caplog.set_level(logging.INFO)
    history = WatchedHistory()
    with notices(None, history) as sender:
        sender.tell(a_notice("it stops"))
    assert "ann: falcon: it stops" in caplog.text
    assert history.all() == []
    assert "notices" not in {thread.name for thread in threading.enumerate()}


def test_a_receiver_that_stumbles_gets_it_again():
    history = WatchedHistory()
    with receiver(500, 429, 200) as hook, notices(hook.url, history) as sender:
        sender.tell(a_notice())
        assert len(hook.wait_for(3)) == 3
        sender.close()
    assert history.all() == []


def test_a_receiver_that_fails_for_good_is_recorded_after_three_attempts(caplog):
    history = WatchedHistory()
    with receiver(503) as hook, notices(hook.url, history) as sender:
        sender.tell(a_notice("it stops", at=NOW + minutes(3)))
        (event,) = history.wait_for(1)
        assert len(hook.got) == 3
    assert (event.kind, event.actor, event.endpoint_name) == ("notice.failed", "meter", "falcon")
    assert event.at == NOW + minutes(3)
    assert "503" in event.reason
    assert event.data == {"notice": "expiry", "owner": "ann", "text": "it stops"}
    assert "hush" not in caplog.text + event.reason


@pytest.mark.parametrize("status", [400, 404, 301])
def test_a_receiver_that_refuses_is_not_asked_again(status):
    history = WatchedHistory()
    with receiver(status) as hook, notices(hook.url, history) as sender:
        sender.tell(a_notice())
        (event,) = history.wait_for(1)
        assert len(hook.got) == 1
    assert str(status) in event.reason


def test_a_receiver_that_is_not_there_is_recorded():
    history = WatchedHistory()
    with notices(f"http://127.0.0.1:{closed_port()}/hush", history) as sender:
        sender.tell(a_notice())
        (event,) = history.wait_for(1)
    assert "cannot be reached (ConnectError" in event.reason
    assert "hush" not in event.reason


@pytest.mark.parametrize("url", ["http://[", "ftp://127.0.0.1/", "http://127.0.0.1:99999/"])
def test_a_url_that_cannot_be_used_is_recorded(url):
    history = WatchedHistory()
    with notices(url, history) as sender:
        sender.tell(a_notice())
        (event,) = history.wait_for(1)
    assert event.kind == "notice.failed"


def test_a_receiver_that_hangs_holds_nobody_up():
    history = WatchedHistory()
    with receiver(200) as hook, notices(hook.url, history, patience=0.2) as sender:
        hook.held.clear()
        began = time.monotonic()
        sender.tell(a_notice("first"))
        sender.tell(a_notice("second"))
        assert time.monotonic() - began < 0.2
        events = history.wait_for(2)
        hook.held.set()
    assert [event.data["text"] for event in events] == ["first", "second"]
    assert all("ReadTimeout" in event.reason for event in events)


def test_more_than_can_wait_is_recorded():
    history = WatchedHistory()
    with receiver(200) as hook, notices(hook.url, history, room=2) as sender:
        hook.held.clear()
        sender.tell(a_notice("0"))
        hook.wait_for(1)
        for number in range(1, 5):
            sender.tell(a_notice(str(number)))
        assert [event.data["text"] for event in history.all()] == ["3", "4"]
        assert all("waiting" in event.reason for event in history.all())
        hook.held.set()
        assert texts(hook.wait_for(3)) == ["0", "1", "2"]


def test_another_url_counts_from_now_on():
    with receiver(200) as former, receiver(200) as present, notices(former.url) as sender:
        sender.tell(a_notice("1"))
        former.wait_for(1)
        sender.redirect(present.url)
        sender.tell(a_notice("2"))
        assert texts(present.wait_for(1)) == ["2"]
        sender.redirect(None)
        sender.tell(a_notice("3"))
        sender.redirect(former.url)
        sender.tell(a_notice("4"))
        assert texts(former.wait_for(2)) == ["1", "4"]


def test_close_sends_what_is_waiting():
    history = WatchedHistory()
    with receiver(200) as hook, notices(hook.url, history) as sender:
        hook.held.clear()
        for number in range(10):
            sender.tell(a_notice(str(number)))
        threading.Timer(0.1, hook.held.set).start()
        sender.close(limit=60)
        assert len(hook.got) == 10
    assert history.all() == []


def test_close_does_not_wait_for_ever_and_records_what_was_not_delivered():
    history = WatchedHistory()
    with receiver(400) as hook, notices(hook.url, history) as sender:
        hook.held.clear()
        for number in range(3):
            sender.tell(a_notice(str(number)))
        hook.wait_for(1)
        sender.close(limit=0.1)
        assert [event.data["text"] for event in history.all()] == ["0", "1", "2"]
        sender.tell(a_notice("late"))
        assert history.all()[-1].data["text"] == "late"
        hook.held.set()
        sender._thread.join()
    assert len(history.all()) == 4  # the late answer to the first is not told again


def test_close_cuts_the_pause_between_attempts_short():
    history = WatchedHistory()
    with receiver(500) as hook, closing(WebhookNotices(hook.url, history, pause=1000)) as sender:
        sender.tell(a_notice())
        hook.wait_for(1)
        sender.close(limit=60)
        assert len(hook.got) == 3
    assert len(history.all()) == 1


def test_a_history_that_cannot_be_written_does_not_stop_the_next_notice(caplog):
    class Locked(WatchedHistory):
        def append(self, event):
            raise Unavailable("locked")

    with receiver(400, 200) as hook, notices(hook.url, Locked()) as sender:
        sender.tell(a_notice("1"))
        sender.tell(a_notice("2"))
        assert texts(hook.wait_for(2)) == ["1", "2"]
    assert "could not be recorded" in caplog.text
