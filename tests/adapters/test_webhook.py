"""Events to receivers that listen, refuse, stumble, hang, drip, or are not there."""

import base64
import hashlib
import hmac
import json
import re
import socket
import threading
import time
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from parkade.adapters.webhook.posting import BODY_LIMIT, post
from parkade.adapters.webhook.signed import WebhookChannel
from parkade.adapters.webhook.slack import SlackChannel
from parkade.domain.errors import Undelivered
from parkade.domain.event import document
from parkade.ports.channels import Message
from tests.adapters.receiver import receiver
from tests.builders import NOW, an_event, minutes
from tests.house import PATIENCE, ROOT

SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def a_message(**changes):
    event = an_event(**{"number": 7, **changes})
    return Message(id="evt_here_7", event=event, content=document(event), sent_at=NOW)


def refusal(act):
    with pytest.raises(Undelivered) as caught:
        act()
    return caught.value


def test_an_event_arrives_as_json_signed_by_the_standard_webhooks_scheme():
    """The check is written down here as a receiver would write it."""
    with receiver(200) as hook:
        message = a_message(reason="ü ✓")
        WebhookChannel(hook.url, SECRET, patience=PATIENCE).deliver(message)
    ((kind, content),) = hook.got
    ((headers, body),) = hook.raw
    assert (kind, content) == ("application/json", message.content)
    assert headers["webhook-id"] == "evt_here_7"
    assert headers["webhook-timestamp"] == str(int(NOW.timestamp()))
    told = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(b"k" * 32, told, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"


def test_the_manuals_check_takes_what_is_ours_and_nothing_else():
    manual = (ROOT / "docs" / "events.md").read_text()
    (code,) = re.findall(r"^```python\n(.+?)^```", manual, re.MULTILINE | re.DOTALL)
    names = {}
    exec(code, names)  # noqa: S102  our own manual
    verify = names["verify"]
    message = replace(a_message(), sent_at=datetime.now(UTC))
    with receiver(200) as hook:
        WebhookChannel(hook.url, SECRET, patience=PATIENCE).deliver(message)
        WebhookChannel(hook.url, SECRET, patience=PATIENCE).deliver(a_message())
    (headers, body), (old, _) = hook.raw
    assert verify(SECRET, headers, body)
    assert not verify(SECRET, headers, body + b" ")
    assert not verify("whsec_" + "QUJD" * 8, headers, body)
    assert not verify(SECRET, headers | {"webhook-id": "evt_here_8"}, body)
    assert not verify(SECRET, old, body)


def test_without_a_secret_nothing_is_signed():
    with receiver(204) as hook:
        WebhookChannel(hook.url, "", patience=PATIENCE).deliver(a_message())
    ((headers, _),) = hook.raw
    assert "webhook-signature" not in headers
    assert headers["webhook-id"] == "evt_here_7"


@pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 503, 599])
def test_a_receiver_that_stumbles_may_be_asked_again(status):
    with receiver(status) as hook:
        error = refusal(lambda: post(hook.url, b"{}", {}, PATIENCE))
    assert not error.final
    assert str(status) in error.message
    assert "hush" not in error.message


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 404, 410, 422])
def test_a_receiver_that_refuses_does_so_for_good_and_redirects_are_not_followed(status):
    with receiver(status) as hook:
        error = refusal(lambda: post(hook.url, b"{}", {}, PATIENCE))
        assert len(hook.got) == 1
    assert error.final


@pytest.mark.parametrize(
    ("header", "asked"),
    [("120", minutes(2)), ("0", minutes(0)), ("soon", minutes(0)), ("-5", minutes(0)),
     ("Wed, 21 Oct 2015 07:28:00 GMT", minutes(0)), ("9" * 40, minutes(0))],
)  # fmt: skip
def test_retry_after_is_heard(header, asked):
    with receiver(429) as hook:
        hook.headers = {"Retry-After": header}
        assert refusal(lambda: post(hook.url, b"{}", {}, PATIENCE)).retry_after == asked


def test_a_receiver_that_is_not_there_may_come_back(closed_port):
    error = refusal(lambda: post(f"http://127.0.0.1:{closed_port}/hush", b"{}", {}, PATIENCE))
    assert not error.final
    assert "cannot be reached (ConnectError" in error.message
    assert "hush" not in error.message


def test_a_url_that_cannot_be_used_is_refused_for_good():
    error = refusal(lambda: post("http://hush\x7f/", b"{}", {}, PATIENCE))
    assert error.final
    assert "hush" not in error.message


def test_a_receiver_that_hangs_has_its_time():
    with receiver(200) as hook:
        hook.held.clear()
        error = refusal(lambda: post(hook.url, b"{}", {}, 0.2))
        hook.held.set()
    assert not error.final
    assert "longer than 0.2 s" in error.message or "ReadTimeout" in error.message


@contextmanager
def dripping():
    """A receiver that sends a header for ever, a byte now and then."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        over = threading.Event()

        def drip():
            connection, _ = server.accept()
            with connection:
                connection.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
                while not over.wait(0.02):
                    try:
                        connection.sendall(b"x")
                    except OSError:
                        return

        thread = threading.Thread(target=drip)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}/"
        finally:
            over.set()
            thread.join()


def test_a_receiver_that_drips_has_no_more_time_than_one_that_hangs():
    with dripping() as url:
        began = time.monotonic()
        error = refusal(lambda: post(url, b"{}", {}, 0.5))
        assert time.monotonic() - began < 30
    assert not error.final


def test_what_is_too_large_is_not_sent():
    with receiver(200) as hook:
        error = refusal(lambda: post(hook.url, b"x" * (BODY_LIMIT + 1), {}, PATIENCE))
        assert error.final
        assert hook.got == []


def test_chat_gets_a_text_whose_marks_are_none_and_the_link_of_a_notice():
    event = an_event(
        "notice.expiry",
        reason="it <stops> & *more*",
        data={"link": "http://parkade.example/x/abc"},
    )
    with receiver(200) as hook:
        message = Message(id="e", event=event, content={}, sent_at=NOW)
        SlackChannel(hook.url, patience=PATIENCE).deliver(message)
    ((_, content),) = hook.got
    assert content == {
        "text": "falcon: it &lt;stops&gt; &amp; *more*\n"
        "<http://parkade.example/x/abc|Give falcon more time>"
    }


def test_chat_gets_the_reason_below_the_kind():
    with receiver(200) as hook:
        SlackChannel(hook.url, patience=PATIENCE).deliver(
            a_message(kind="worker.died", reason="killed")
        )
    assert hook.got[0][1] == {"text": "falcon: worker died\nkilled"}
    assert json.loads(hook.raw[0][1]) == hook.got[0][1]
