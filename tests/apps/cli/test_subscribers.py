"""`parkade subscriber`, `parkade letters`, and the filters of `parkade events`."""

import json

import pytest

from parkade.domain.errors import Undelivered
from parkade.domain.subscriber import Progress
from tests.builders import a_letter, a_subscriber

URL = "https://hooks.example.com/hush"


@pytest.fixture
def area(desk):
    area = desk.world.services.outbox
    area.outbox.start()
    yield area
    area.outbox.close(60)


def letter(area, **changes):
    area.letters.bury(a_letter(**changes), Progress(subscriber="ops", number=1))
    return str(area.letters.letters()[-1].id)


def refuse(_message):
    raise Undelivered("the receiver answered 503")


def test_a_subscriber_is_added_listed_shown_tested_and_removed(desk, area):
    added = desk.ok("subscriber", "add", "ops", "--url", URL, "-k", "lease.", "-e", "f*")
    secret = area.subscribers.get("ops").secret
    assert secret in added
    assert "https://hooks.example.com/..." in added
    for command in (("ls",), ("show", "ops")):
        shown = desk.ok("subscriber", *command)
        assert "delivering" in shown
        assert "lease." in shown
        assert secret not in shown
        assert "hush" not in shown
    assert "took the test" in desk.ok("subscriber", "test", "ops")
    assert "disabled" in desk.ok("subscriber", "disable", "ops")
    assert "disabled" in desk.ok("subscriber", "ls")
    assert "enabled" in desk.ok("subscriber", "enable", "ops")
    letter(area)
    assert "letters to it, gone too: 1" in desk.ok("subscriber", "rm", "ops")
    assert desk.json("subscriber", "ls") == []


def test_a_secret_of_ones_own_comes_from_standard_input(desk, area):
    given = "whsec_" + "QUJD" * 8
    said = desk.ok(
        "subscriber", "add", "ops", "--url", URL, "--secret-from-stdin", stdin=given + "\n"
    )
    assert area.subscribers.get("ops").secret == given
    assert given not in said


def test_mail_and_chat_are_added(desk, area):
    desk.ok("subscriber", "add", "m", "--kind", "email", "--to", "a@b.org", "--to", "owner")
    desk.ok("subscriber", "add", "c", "--kind", "slack", "--url", URL, "--owner", "ann")
    assert area.subscribers.get("m").to == ("a@b.org", "owner")
    assert area.subscribers.get("c").filter.owners == ("ann",)
    listed = desk.json("subscriber", "ls")
    assert [each["kind"] for each in listed] == ["slack", "email"]


def test_why_delivery_fails_is_shown(desk, area):
    area.channel(a_subscriber("ops")).refuses = refuse
    refused = desk.run("subscriber", "test", "ops")
    assert refused.exit_code == 1
    desk.ok("subscriber", "add", "ops", "--url", URL)
    area.letters.begin("ops", 0)
    refused = desk.run("subscriber", "test", "ops")
    assert refused.exit_code == 1
    assert "the receiver answered 503" in refused.stderr


def test_letters_are_listed_shown_resent_and_dropped(desk, area):
    desk.ok("subscriber", "add", "ops", "--url", URL, "-k", "never.")
    first, second = letter(area), letter(area, cause="the receiver answered 410")
    listed = desk.ok("letters", "ls", "--subscriber", "ops")
    assert "the receiver answered 410" in listed
    shown = desk.ok("letters", "show", first)
    assert "after 12 tries" in shown
    assert desk.json("letters", "show", first)["event"]["number"] == 1
    area.channels["ops"].refuses = refuse
    refused = desk.run("letters", "resend", first)
    assert refused.exit_code == 1
    assert "0 of 1 letter delivered" in refused.stdout
    assert "503" in refused.stderr
    area.channels["ops"].refuses = lambda _: None
    assert "2 of 2 letters delivered" in desk.ok("letters", "resend", "--all")
    third = letter(area)
    assert "1 letter dropped" in desk.ok("letters", "drop", third)
    assert desk.json("letters", "ls") == []
    assert second != third


@pytest.mark.parametrize("arguments", [(), ("1", "--all"), ("--all", "--subscriber", "ops")])
@pytest.mark.parametrize("verb", ["resend", "drop"])
def test_which_letters_has_to_be_clear(desk, area, verb, arguments):
    refused = desk.run("letters", verb, *arguments)
    assert refused.exit_code == 1
    assert "give ids, or --subscriber NAME, or --all" in refused.stderr


def test_events_are_told_by_kind_and_owner_and_as_eventbridge_would(desk, area):
    desk.world.add("falcon", owner="ann")
    desk.world.add("other", owner="eve")
    told = desk.json("events", "--owner", "eve", "--kind", "lease.")
    assert [each["endpoint_name"] for each in told] == ["other"]
    assert "other" in desk.ok("events", "--owner", "eve")
    assert "falcon:" not in desk.ok("events", "--owner", "eve")
    (envelope,) = json.loads(desk.ok("events", "--owner", "ann", "--shape", "eventbridge"))
    assert envelope["detail-type"] == "Parkade Lease Added"
