"""The history as a list, and as a stream over a real socket."""

import json
import threading
from contextlib import contextmanager

import httpx
import pytest

from parkade.apps.api import events
from tests.apps.api.world import SECRETS, served
from tests.builders import NOW, an_event, minutes
from tests.house import PATIENCE


def listed(world, query=""):
    return [each["number"] for each in world.ok("GET", f"/v1/events?{query}")["events"]]


@pytest.fixture
def filled(world):
    """Events from number 5 on: 1 to 4 are the tokens of every world."""
    for number in range(6):
        world.history.append(
            an_event(
                "lease.extended" if number % 2 else "endpoint.failed",
                at=NOW + minutes(number),
                endpoint_name="falcon" if number < 4 else "other",
                data={"number": number, "nested": {"list": [1, None, "x"]}},
            )
        )
    return world


def test_an_event(filled):
    assert filled.ok("GET", "/v1/events?limit=1")["events"] == [
        {
            "number": 10,
            "at": "2026-03-01T12:05:00Z",
            "kind": "lease.extended",
            "actor": "ann",
            "reason": "because",
            "endpoint_name": "other",
            "owner": "",
            "data": {"number": 5, "nested": {"list": [1, None, "x"]}},
        }
    ]


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
        ("limit=3", [8, 9, 10]),
        ("limit=3&order=latest", [8, 9, 10]),
        ("limit=3&order=oldest", [1, 2, 3]),
        ("limit=3&order=oldest&after=5", [6, 7, 8]),
        ("kind=lease.extended", [6, 8, 10]),
        ("kind=endpoint.", [5, 7, 9]),
        ("kind=lease.&kind=token.&limit=4&order=oldest", [1, 2, 3, 4]),
        ("endpoint=falcon", [5, 6, 7, 8]),
        ("endpoint=falcon&kind=lease.", [6, 8]),
        ("since=2026-03-01T12:04:00Z", [9, 10]),
        ("since=2026-03-01T13:04:00%2B01:00", [9, 10]),
        ("endpoint=nobody", []),
    ],
)
def test_filters(filled, query, numbers):
    assert listed(filled, query) == numbers


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("since=yesterday", "since"),
        ("since=2026-03-01T12:04:00", "since"),
        ("since=0001-01-01T00:00:00%2B14:00", "since"),
        ("after=-1", "after"),
        (f"after={2**63}", "after"),
        ("order=random", "order"),
        ("limit=0", "limit"),
        ("kinds=lease.", "kinds"),
    ],
)
def test_a_wrong_query_names_the_parameter(world, query, field):
    status, error = world.error("GET", f"/v1/events?{query}")
    assert (status, error["field"]) == (400, field)


# -- the stream ---------------------------------------------------------------------------


class Stream:
    """A reader of server-sent events."""

    def __init__(self, response):
        self.response = response
        self._lines = response.iter_lines()

    def block(self):
        lines = []
        for line in self._lines:
            if not line:
                return lines
            lines.append(line)
        return None

    def event(self):
        block = self.block()
        while block and block[0].startswith(":"):
            block = self.block()
        if block is None:
            return None
        names = [line.partition(": ")[0] for line in block]
        assert names == ["id", "event", "data"]
        values = [line.partition(": ")[2] for line in block]
        return int(values[0]), values[1], json.loads(values[2])


@contextmanager
def stream(url, query="", by="operator", **headers):
    headers["Authorization"] = SECRETS[by]
    with httpx.stream(
        "GET", f"{url}/v1/events/stream{query}", headers=headers, timeout=PATIENCE
    ) as response:
        assert response.status_code == 200, response.read()
        assert response.headers["content-type"].startswith("text/event-stream")
        assert response.headers["cache-control"] == "no-cache"
        reader = Stream(response)
        assert reader.block() == [": events follow"]
        yield reader


def extend(url):
    answer = httpx.post(
        f"{url}/v1/leases/falcon/extend",
        json={"minutes": 1},
        headers={"Authorization": SECRETS["operator"]},
        timeout=PATIENCE,
    )
    assert answer.status_code == 200


def test_new_events_come_as_they_happen(world):
    world.add()
    with served(world.app) as url, stream(url) as reader:
        for _ in range(3):
            extend(url)
            number, kind, data = reader.event()
            assert (number, kind) == (data["number"], "lease.extended")
            assert data["actor"] == "operator"


def test_a_client_that_comes_back_misses_nothing(filled):
    with served(filled.app) as url:
        with stream(url, **{"Last-Event-ID": "7"}) as reader:
            assert [reader.event()[0] for _ in range(3)] == [8, 9, 10]
        with stream(url, "?after=8") as reader:
            assert [reader.event()[0] for _ in range(2)] == [9, 10]
        with stream(url, "?after=8", **{"Last-Event-ID": "9"}) as reader:
            assert reader.event()[0] == 10


def test_more_events_than_one_batch_come_in_order(world, monkeypatch):
    monkeypatch.setattr(events, "_BATCH", 7)
    for _ in range(50):
        world.history.append(an_event())
    with served(world.app) as url, stream(url, "?after=4") as reader:
        assert [reader.event()[0] for _ in range(50)] == list(range(5, 55))


def test_a_stream_can_be_filtered(filled):
    with (
        served(filled.app) as url,
        stream(url, "?after=0&endpoint=falcon&kind=lease.") as reader,
    ):
        assert [reader.event()[0] for _ in range(2)] == [6, 8]


def test_silence_is_filled_with_comments(world, monkeypatch):
    monkeypatch.setattr(events, "HEARTBEAT", 0.05)
    with served(world.app) as url, stream(url) as reader:
        assert reader.block() == [": nothing new"]
        assert reader.block() == [": nothing new"]


def test_changes_without_events_do_not_put_the_comments_off(world, monkeypatch):
    monkeypatch.setattr(events, "HEARTBEAT", 0.05)
    headers = {"Authorization": SECRETS["admin"]}
    done = threading.Event()
    with served(world.app) as url, stream(url) as reader:

        def nudge():
            while not done.is_set():
                httpx.post(f"{url}/v1/nudge", headers=headers, timeout=PATIENCE)

        nudging = threading.Thread(target=nudge)
        nudging.start()
        try:
            assert reader.block() == [": nothing new"]
        finally:
            done.set()
            nudging.join()


def test_a_stream_ends_when_its_token_is_revoked(world):
    headers = {"Authorization": SECRETS["admin"]}
    with served(world.app) as url, stream(url) as reader:
        answer = httpx.delete(f"{url}/v1/tokens/operator", headers=headers, timeout=PATIENCE)
        assert answer.status_code == 204
        told = []
        while (event := reader.event()) is not None:
            told.append(event[1])
        assert told in ([], ["token.revoked"])


def test_a_wrong_last_event_id_is_refused(world):
    headers = {"Last-Event-ID": "latest"}
    status, error = world.error("GET", "/v1/events/stream", headers=headers)
    assert (status, error["field"]) == (400, "Last-Event-ID")
