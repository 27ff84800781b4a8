"""Events on their way out of a real Parkade: killed, hung, refused; and the link of a notice."""

import re
from concurrent.futures import ThreadPoolExecutor
from html import unescape

import httpx
import pytest

from tests.adapters.receiver import receiver
from tests.house import PATIENCE, house, wait_for

SETTINGS = """
outbox:
  attempts: 2
  first_pause_seconds: 0.05
  longest_pause_seconds: 0.05
  answer_seconds: 60
links:
  minutes: 20
"""


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    folder = tmp_path_factory.mktemp("outbox")
    (folder / "server.yaml").write_text(SETTINGS)
    with house(folder / "state", "--config", str(folder / "server.yaml")) as built:
        built.furnish()
        yield built


def subscribe(own, name, url, **members):
    form = {"name": name, "kind": "webhook", "url": url, **members}
    return own.ok("POST", "/v1/subscribers", json=form).json()


def unsubscribe(own, name):
    own.ok("DELETE", f"/v1/subscribers/{name}")


def lease(own, name, *, minutes=30):
    own.ok("PUT", f"/v1/leases/{name}", json={"config_name": "demo-config", "minutes": minutes})


def extend(own, name):
    own.ok("POST", f"/v1/leases/{name}/extend", json={"minutes": 1})


def numbers(hook):
    return [content["number"] for _, content in list(hook.got)]


def test_a_control_process_killed_between_delivery_and_cursor_delivers_it_again(own):
    lease(own, "killed")
    with receiver(200) as hook:
        hook.held.clear()
        subscribe(own, "again", hook.url, kinds=["lease."], endpoints=["killed"])
        extend(own, "killed")
        hook.wait_for(1)
        former = own.kill("control")
        hook.held.set()
        own.wait_reborn("control", former)
        hook.wait_for(2)
        extend(own, "killed")
        hook.wait_for(3)
        unsubscribe(own, "again")
    first, second, third = numbers(hook)[:3]
    assert first == second < third
    ids = [headers["webhook-id"] for headers, _ in hook.raw[:3]]
    assert ids[0] == ids[1] != ids[2]


def test_a_receiver_that_hangs_holds_up_no_other_and_no_caller(own):
    lease(own, "hung")
    with receiver(200) as slow, receiver(200) as quick:
        slow.held.clear()
        wanted = {"kinds": ["lease.extended"], "endpoints": ["hung"]}
        subscribe(own, "slow", slow.url, **wanted)
        subscribe(own, "quick", quick.url, shape="eventbridge", **wanted)
        for _ in range(5):
            extend(own, "hung")
        got = quick.wait_for(5)
        slow.wait_for(1)
        assert len(slow.got) == 1
        views = {
            name: own.ok("GET", f"/v1/subscribers/{name}").json() for name in ("slow", "quick")
        }
        assert views["slow"]["waiting"] > 0
        slow.held.set()
        slow.wait_for(5)
        for name in ("slow", "quick"):
            unsubscribe(own, name)
    assert [content["detail-type"] for _, content in got] == ["Parkade Lease Extended"] * 5
    assert numbers(slow)[:5] == [content["detail"]["number"] for _, content in got]


def test_what_is_refused_becomes_letters_that_can_be_resent(own):
    lease(own, "refused")
    with receiver(500) as hook:
        subscribe(own, "letters", hook.url, kinds=["lease.extended"], endpoints=["refused"])
        extend(own, "refused")

        def letters():
            return own.ok("GET", "/v1/letters?subscriber=letters").json()["letters"]

        wait_for(letters)
        (letter,) = letters()
        assert (letter["attempts"], letter["cause"]) == (2, "the receiver answered 500")
        view = own.ok("GET", "/v1/subscribers/letters").json()
        assert (view["state"], view["letters"]) == ("failing", 1)
        assert "hush" not in str(view)
        refused = own.call("POST", f"/v1/letters/{letter['id']}/resend")
        assert (refused.status_code, refused.json()["error"]["code"]) == (502, "undelivered")
        hook.statuses = [200]
        own.ok("POST", f"/v1/letters/{letter['id']}/resend")
        assert letters() == []
        assert set(numbers(hook)) == {letter["event_number"]}
        unsubscribe(own, "letters")
    (failing,) = [
        event
        for event in own.events(kind="subscriber.failing")
        if event["data"]["name"] == "letters"
    ]
    assert "given up" in failing["reason"]


def a_link(own, name):
    """Let a lease come within its last warning; return the link that the notice brings."""
    lease(own, name, minutes=2.02)
    found = wait_for(
        lambda: own.events(kind="notice.expiry", endpoint=name), why=f"a notice of {name}"
    )
    link = found[0]["data"]["link"]
    assert link.startswith(f"{own.url}/x/")
    return link


def expiry(own, name):
    return own.ok("GET", f"/v1/leases/{name}").json()["expires_at"]


@pytest.fixture(scope="module")
def link(own):
    return a_link(own, "linked")


def test_a_look_at_a_link_changes_nothing_and_its_page_brings_all_it_needs(own, link):
    before = expiry(own, "linked")
    for method in ("GET", "HEAD", "GET"):
        answer = httpx.request(method, link, timeout=PATIENCE)
        assert answer.status_code == 200
    assert expiry(own, "linked") == before
    page = answer.text
    text = unescape(re.sub(r"<style>.*</style>|<[^>]+>", " ", page, flags=re.DOTALL))
    assert "linked" in text
    assert "Time left" in text
    assert "20 min" in text
    assert "ml.c5.xlarge" not in text
    assert re.search(r"Price\s+[0-9.]+ USD", text)
    assert page.count("<button") == 1
    assert '<form method="post">' in page
    assert "<script" not in page
    assert "src=" not in page
    assert "href=" not in page
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"


def test_a_link_extends_without_a_login_and_once_however_many_press(own, link):
    before = own.ok("GET", "/v1/leases/linked").json()
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: httpx.post(link, timeout=PATIENCE), range(4)))
    assert 200 in {answer.status_code for answer in answers}
    assert {answer.status_code for answer in answers} <= {200, 410}
    (event,) = [e for e in own.events(kind="lease.extended") if e["endpoint_name"] == "linked"]
    assert (event["actor"], event["data"]["minutes"]) == ("link", 20)
    assert event["data"]["expires_before"] == before["expires_at"]
    again = httpx.post(link, timeout=PATIENCE)
    assert again.status_code == 410
    assert "This link was used" in again.text
    assert event["at"][11:16] + " UTC" in again.text
    assert httpx.get(link, timeout=PATIENCE).status_code == 410


def test_the_page_of_a_lease_that_is_gone_says_so(own):
    link = a_link(own, "removed")
    own.wait_state("removed", "running")
    own.ok("DELETE", "/v1/leases/removed")
    answer = httpx.post(link, timeout=PATIENCE)
    assert answer.status_code == 410
    assert "The lease of removed was removed" in answer.text


@pytest.mark.parametrize("token", ["abc", "a.b", "%00", "x" * 3000, "%3Cscript%3E"])
def test_what_is_no_link_gets_a_page_that_says_so(own, token):
    answer = httpx.get(f"{own.url}/x/{token}", timeout=PATIENCE)
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")
    assert "not known here" in answer.text
    assert "<script" not in answer.text


def test_links_cannot_be_tried_in_masses(own):
    statuses = set()
    with httpx.Client(base_url=own.url, timeout=PATIENCE) as client:

        def throttled():
            answer = client.get("/x/guess")
            statuses.add(answer.status_code)
            return answer if answer.status_code == 429 else None

        answer = wait_for(throttled)
    assert statuses == {404, 429}
    assert int(answer.headers["retry-after"]) >= 1
    assert "Try again" in answer.text
