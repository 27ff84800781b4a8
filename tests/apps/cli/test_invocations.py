"""Invoking, routes, logs, events and the plan."""

import itertools

import pytest

from parkade.apps.cli import history
from tests.builders import minutes


def test_an_answer_goes_to_standard_output_as_it_is(desk):
    desk.front.canned = (200, {"content-type": "application/json"}, b'{"label":  1}')
    assert desk.ok("invoke", "text", "--json", '{"sentence": "hello"}') == '{"label":  1}'
    assert desk.front.bodies == [b'{"sentence": "hello"}']
    assert desk.front.headers[0]["content-type"] == "application/json"


def test_bytes_pass_unchanged_in_both_directions(desk, tmp_path):
    every = bytes(range(256))
    (tmp_path / "body").write_bytes(every)
    desk.front.canned = (200, {"content-type": "application/x-npy"}, every)
    result = desk.run("invoke", "text", "--file", str(tmp_path / "body"), "--content-type", "a/b")
    assert result.stdout_bytes == every
    assert desk.front.bodies == [every]
    assert desk.front.headers[0]["content-type"] == "a/b"


def test_the_body_may_come_from_standard_input(desk):
    desk.ok("invoke", "text", "--file", "-", "--accept", "text/csv", "--variant", "b", stdin="1,2")
    assert desk.front.bodies == [b"1,2"]
    assert desk.front.headers[0]["accept"] == "text/csv"
    assert desk.front.headers[0]["x-amzn-sagemaker-target-variant"] == "b"


def test_one_may_wait_for_what_is_asleep(desk):
    desk.ok("invoke", "text", "--json", "{}", "--wait", "60")
    assert desk.front.headers[0]["prefer"] == "wait=60"
    desk.ok("invoke", "text", "--json", "{}")
    assert "prefer" not in desk.front.headers[1]


def test_a_file_that_is_not_there_is_told(desk, tmp_path):
    assert "cannot be read" in desk.error("invoke", "text", "--file", str(tmp_path / "none"))


def test_an_error_of_the_model_is_one_line(desk):
    body = b'{"Message": "Received client error (415) from primary", "OriginalStatusCode": 415}'
    desk.front.canned = (424, {"x-amzn-ErrorType": "ModelError"}, body)
    assert desk.error("invoke", "text", "--json", "{}") == (
        "error: ModelError: Received client error (415) from primary"
    )


def test_an_endpoint_that_does_not_run_says_why_and_what_to_do(desk):
    body = (
        b'{"Message": "Endpoint text is not running: expired.", "reason": "expired", '
        b'"hint": "start it with: parkade start text"}'
    )
    desk.front.canned = (503, {"x-amzn-ErrorType": "ServiceUnavailable"}, body)
    assert desk.error("invoke", "text", "--json", "{}") == (
        "error: Endpoint text is not running: expired; start it with: parkade start text"
    )


def test_an_unknown_endpoint_gets_the_one_that_was_meant(desk):
    desk.world.add("text")
    body = b'{"Message": "Endpoint txet of account 000000000000 not found."}'
    desk.front.canned = (400, {"x-amzn-ErrorType": "ValidationError"}, body)
    assert "did you mean 'text'?" in desk.error("invoke", "txet", "--json", "{}")


def test_routes_are_set_listed_and_removed(desk):
    desk.world.add("text")
    url = desk.environment["PARKADE_URL"]
    said = desk.ok("route", "set", "/text", "--endpoint", "text")
    assert said == f"POST {url}/text invokes text\n"
    desk.ok("route", "set", "open", "-e", "text", "--public")
    assert desk.json("route", "ls") == desk.world.ok("GET", "/v1/routes")["routes"]
    assert "anybody" in desk.ok("route", "ls")
    assert "did you mean '/text'?" in desk.error("route", "rm", "/txt")
    assert desk.ok("route", "rm", "text") == "/text: removed\n"
    assert [each["path"] for each in desk.json("route", "ls")] == ["/open"]


def test_a_route_is_set_with_conditions(desk):
    desk.world.add("text")
    desk.ok("route", "set", "/plain", "-e", "text")
    assert "Rate" not in desk.ok("route", "ls")
    limits = ("--rate", "10/s", "--burst", "20", "--timeout", "2.5")
    desk.ok("route", "set", "/text", "-e", "text", *limits, "--sticky-header", "X-User")
    desk.ok("route", "set", "/open", "-e", "text", "--rate", "0.5", "--sticky-cookie", "visitor")
    by_cookie, plain, by_header = desk.json("route", "ls")
    assert plain["rate"] is None
    assert by_header["rate"] == {"per_second": 10, "burst": 20}
    assert by_header["timeout_seconds"] == 2.5
    assert by_header["sticky"] == {"header": "X-User", "cookie": None}
    assert by_cookie["rate"] == {"per_second": 0.5, "burst": 1}
    assert by_cookie["sticky"] == {"header": None, "cookie": "visitor"}
    said = desk.ok("route", "ls")
    for each in ("10/s, 20 at once", "2.5 s", "header X-User", "cookie visitor"):
        assert each in said
    assert "Project" not in said


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (("--rate", "often"), "write 10 or 10/s"),
        (("--rate", "nan"), "nan is not a number"),
        (("--rate", "0/s"), "requests a second"),
        (("--burst", "3"), "--burst was given without --rate"),
        (("--timeout", "inf"), "--timeout inf is not a number"),
        (("--timeout", "-1"), "seconds, more than 0"),
        (("--sticky-header", "Host"), "does not tell one caller from another"),
        (("--sticky-header", "a", "--sticky-cookie", "b"), "a header and a cookie"),
    ],
)
def test_conditions_that_are_none_are_refused(desk, given, told):
    desk.world.add("text")
    assert told in desk.error("route", "set", "/text", "-e", "text", *given)
    assert desk.json("route", "ls") == []


def test_a_reserved_route_is_refused(desk):
    assert "reserved" in desk.error("route", "set", "/v1", "--endpoint", "text")


def test_logs_are_printed_with_their_instance(desk, tmp_path):
    desk.world.add("text")
    log = tmp_path / "AllTraffic-0123456789ab.log"
    log.write_text("one\n[two]\nthree\n")
    desk.world.host.files["text"] = [log]
    assert desk.ok("logs", "text", "--tail", "2") == (
        "AllTraffic/0123456789ab [two]\nAllTraffic/0123456789ab three\n"
    )


def test_events_tell_who_when_and_why(desk):
    desk.world.add("text", amount=minutes(20))
    desk.world.add("flan")
    text = desk.ok("events", "text")
    assert text.startswith("2026-03-01 UTC\n12:00:00  lease.added          text: ")
    assert "(ann)" in text
    assert "flan" not in text
    listed = desk.json("events", "text")
    assert listed == desk.world.ok("GET", "/v1/events?endpoint=text")["events"]


def test_events_of_nothing_say_so(desk):
    result = desk.run("events", "nothing-of-that-name")
    assert result.exit_code == 0
    assert "Nothing has happened" in result.stderr


def test_following_goes_on_with_what_happens_after_the_list(desk):
    """The stream is read until three events have come, one of them before the start."""
    desk.world.add("text")
    from parkade.apps.cli.client import Client
    from parkade.apps.settings import ClientSettings

    here = ClientSettings(
        url=desk.environment["PARKADE_URL"], token=desk.environment["PARKADE_TOKEN"]
    )
    with Client(here) as client:
        first = client.get("events", endpoint="text")["events"][-1]["number"]
        following = history.following(client, first)
        desk.world.services.meter.extend("text", minutes(1), actor="bob")
        desk.world.services.meter.extend("text", minutes(1), actor="eve")
        actors = [each["actor"] for each in itertools.islice(following, 2)]
        following.close()
    assert actors == ["bob", "eve"]


@pytest.mark.parametrize(
    ("lines", "numbers"),
    [
        ([": comment", ""], []),
        (["id: 1", "event: x", 'data: {"number": 1}', ""], [1]),
        (['data: {"number":', "data: 2}", "", 'data:{"number": 3}', ""], [2, 3]),
        (['data: {"number": 4}'], []),
    ],
)
def test_server_sent_events_are_read_whole_or_not_at_all(lines, numbers):
    assert [each["number"] for _, each in history.decoded(lines)] == numbers


def test_the_plan_says_what_would_be_done_and_why(desk):
    desk.world.add("text", amount=minutes(20))
    text = desk.ok("plan")
    assert "start" in text
    assert "paid for 20 min more" in text
    assert desk.json("plan") == desk.world.ok("GET", "/v1/plan")
