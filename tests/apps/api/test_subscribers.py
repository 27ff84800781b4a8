"""Subscribers and letters over HTTP: what is shown, what is refused, what is never shown."""

import pytest

from parkade.domain.errors import Undelivered
from parkade.domain.subscriber import Progress
from tests.apps.api.world import World
from tests.builders import NOW, a_letter, a_subscriber

URL = "https://hooks.example.com/hush?k=hush"


@pytest.fixture
def world():
    built = World()
    built.services.outbox.outbox.start()
    yield built
    built.services.outbox.outbox.close(60)


def add(world, **form):
    form = {"name": "ops", "kind": "webhook", "url": URL, **form}
    return world.ok("POST", "/v1/subscribers", json=form, by="admin")


def letter(world, name="ops"):
    """Leave a letter; its event is the oldest there is."""
    letters = world.services.outbox.letters
    letters.bury(a_letter(name), Progress(subscriber=name, number=1))
    return letters.letters()[-1].id


def test_a_secret_that_is_made_is_shown_once_and_nothing_secret_ever_again(world):
    answer = world.call(
        "POST", "/v1/subscribers", json={"name": "ops", "kind": "webhook", "url": URL}, by="admin"
    )
    assert answer.status_code == 201
    assert answer.headers["cache-control"] == "no-store"
    secret = answer.json()["secret"]
    assert secret.startswith("whsec_")
    for path in ("/v1/subscribers", "/v1/subscribers/ops"):
        text = world.call("GET", path, by="admin").text
        assert secret not in text
        assert "hush" not in text
    history = world.call("GET", "/v1/events?limit=1000").text
    assert secret not in history
    assert "hush" not in history


def test_a_secret_that_is_given_is_not_told_back(world):
    given = "whsec_" + "QUJD" * 8
    assert add(world, secret=given)["secret"] == ""
    assert world.services.outbox.subscribers.get("ops").secret == given


def test_a_subscriber_is_shown_with_how_its_delivery_stands(world):
    about = {"alarm_states": ["ALARM"], "projects": ["Shop*"]}
    add(world, kinds=["lease."], endpoints=["f*"], owners=["ann"], shape="eventbridge", **about)
    view = world.ok("GET", "/v1/subscribers/ops", by="admin")
    assert view | {"number": 0} == {
        "name": "ops",
        "kind": "webhook",
        "address": "https://hooks.example.com/...",
        "signed": True,
        "kinds": ["lease."],
        "endpoints": ["f*"],
        "owners": ["ann"],
        "alarms": [],
        "alarm_states": ["ALARM"],
        "projects": ["Shop*"],
        "shape": "eventbridge",
        "enabled": True,
        "fixed": False,
        "state": "delivering",
        "number": 0,
        "waiting": view["waiting"],
        "letters": 0,
        "failing_since": None,
        "cause": "",
        "delivered_at": None,
        "made_at": "2026-03-01T12:00:00Z",
    }


def test_they_are_listed_in_the_order_of_names_with_those_of_the_file(world):
    world.services.outbox.file.fixed.append(a_subscriber("file"))
    for name in ("z", "a"):
        add(world, name=name)
    listed = world.ok("GET", "/v1/subscribers", by="admin")
    assert [(each["name"], each["fixed"]) for each in listed["subscribers"]] == [
        ("a", False),
        ("file", True),
        ("z", False),
    ]
    page = world.ok("GET", "/v1/subscribers?limit=2", by="admin")
    assert page["next"] == "file"


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"kind": "pigeon"}, "kind"),
        ({"kind": "command", "url": ""}, "kind"),
        ({"kind": "email"}, "url"),
        ({"url": "hush"}, "url"),
        ({"secret": "hush"}, "secret"),
        ({"kinds": ["Lease"]}, "kinds"),
        ({"endpoints": ["a b"]}, "endpoints"),
        ({"shape": "notice"}, "shape"),
        ({"since": -1}, "since"),
        ({"name": "a b"}, "name"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_cannot_be_a_subscriber_is_refused_by_its_field(world, form, field):
    asked = {"name": "ops", "kind": "webhook", "url": URL, **form}
    status, error = world.error("POST", "/v1/subscribers", json=asked, by="admin")
    assert (status, error["code"], error["field"]) == (400, "invalid_input", field)
    assert "hush" not in str(error)
    assert world.services.outbox.subscribers.all() == ()


def test_a_taken_name_is_a_conflict(world):
    add(world)
    status, error = world.error(
        "POST", "/v1/subscribers", json={"name": "ops", "kind": "slack", "url": URL}, by="admin"
    )
    assert (status, error["code"]) == (409, "already_exists")


def test_it_is_disabled_enabled_and_removed(world):
    add(world)
    assert world.ok("POST", "/v1/subscribers/ops/disable", by="admin")["state"] == "disabled"
    assert world.ok("POST", "/v1/subscribers/ops/enable", by="admin")["state"] == "delivering"
    letter(world)
    assert world.ok("DELETE", "/v1/subscribers/ops", by="admin") == {"name": "ops", "letters": 1}
    assert world.error("GET", "/v1/subscribers/ops", by="admin")[0] == 404


def test_what_the_file_has_cannot_be_changed(world):
    world.services.outbox.file.fixed.append(a_subscriber("file"))
    for method, path in (("DELETE", ""), ("POST", "/enable"), ("POST", "/disable")):
        status, error = world.error(method, f"/v1/subscribers/file{path}", by="admin")
        assert (status, error["code"]) == (409, "conflict")
        assert "parkade reload" in error["hint"]


def test_a_test_is_delivered_now_or_the_reason_told(world):
    add(world, kinds=["lease."])
    channel = world.services.outbox.channels["ops"]
    world.ok("POST", "/v1/subscribers/ops/test", by="admin")
    assert [message.event.kind for message in channel.taken] == ["subscriber.tested"]

    def refuse(_message):
        raise Undelivered("the receiver answered 404", final=True)

    channel.refuses = refuse
    status, error = world.error("POST", "/v1/subscribers/ops/test", by="admin")
    assert (status, error["code"], error["message"]) == (
        502,
        "undelivered",
        "the receiver answered 404",
    )


def test_letters_are_listed_shown_resent_and_dropped(world):
    add(world, kinds=["lease."])
    first, second = letter(world), letter(world)
    listed = world.ok("GET", "/v1/letters?limit=1", by="admin")
    assert [each["id"] for each in listed["letters"]] == [first]
    following = world.ok("GET", f"/v1/letters?after={listed['next']}", by="admin")
    assert [each["id"] for each in following["letters"]] == [second]
    assert following["next"] is None
    assert world.ok("GET", f"/v1/letters/{first}", by="admin") == {
        "id": first,
        "subscriber": "ops",
        "event_number": 1,
        "event_kind": "lease.added",
        "endpoint_name": "falcon",
        "attempts": 12,
        "cause": "the receiver answered 500",
        "buried_at": NOW.isoformat().replace("+00:00", "Z"),
    }
    world.ok("POST", f"/v1/letters/{first}/resend", by="admin")
    world.ok("DELETE", f"/v1/letters/{second}", by="admin")
    assert world.ok("GET", "/v1/letters?subscriber=ops", by="admin")["letters"] == []
    taken = world.services.outbox.channels["ops"].taken
    assert [message.event.number for message in taken] == [1]


@pytest.mark.parametrize("letter_id", ["1", "99"])
def test_a_letter_that_is_not_there(world, letter_id):
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/resend")):
        status, error = world.error(method, f"/v1/letters/{letter_id}{path}", by="admin")
        assert (status, error["code"]) == (404, "letter_not_found")


def test_events_are_told_by_owner_and_in_eventbridges_shape(world):
    world.add("falcon", owner="ann")
    world.add("other", owner="eve")
    (event,) = world.ok("GET", "/v1/events?owner=eve")["events"]
    assert (event["endpoint_name"], event["owner"]) == ("other", "eve")
    both = world.ok("GET", "/v1/events?owner=eve&owner=ann&kind=lease.")["events"]
    assert [each["owner"] for each in both] == ["ann", "eve"]
    (envelope,) = world.ok("GET", "/v1/events?owner=eve&shape=eventbridge")["events"]
    assert envelope["detail-type"] == "Parkade Lease Added"
    assert envelope["detail"]["owner"] == "eve"
    assert envelope["resources"] == ["arn:aws:sagemaker:eu-west-1:000000000000:endpoint/other"]
