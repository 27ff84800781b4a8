"""The commands on the meter, against a real server with services in memory."""

import pytest

from parkade.domain.errors import ResourceLimitExceeded
from tests.builders import minutes, seconds


def at_a_look(desk, do):
    """Do something whenever the endpoint is looked at."""
    desk.front.looks_on = lambda path: path.startswith("/v1/endpoints/") and do()


def test_add_says_what_was_paid_and_until_when(desk):
    said = desk.ok("add", "text", "--config", "falcon-config", "--minutes", "20")
    assert said == "text: starting, 20 min left (until 2026-03-01 12:20:00 UTC)\n"


def test_what_starts_is_told_with_how_long_it_still_takes(desk):
    desk.world.started("falcon-config", took=seconds(40))
    said = desk.ok("add", "text", "--config", "falcon-config", "--minutes", "20")
    assert said.startswith("text: starting, about 40 s more, 20 min left ")
    desk.world.sweep()
    desk.world.host.running["text"] = ()
    assert "starting, ~40 s" in desk.ok("ls")
    assert "in 40 s (2026-03-01 12:00:40 UTC)" in desk.ok("show", "text")
    assert "about 40 s more" in desk.ok("why", "text")
    desk.world.clock.advance(seconds(10))
    at_a_look(desk, desk.start)
    waited = desk.run("extend", "text", "-m", "1", "--wait")
    assert "text: running" in waited.stdout


def test_waiting_says_how_long_it_still_takes(desk):
    desk.world.started("falcon-config", took=seconds(40))
    looks = iter([lambda: None, desk.start])

    def look():
        next(looks)()

    at_a_look(desk, look)
    result = desk.run("add", "text", "--config", "falcon-config", "--wait")
    # Nothing counts down where each change is a line of its own.
    assert "text: starting, expected at 2026-03-01 12:00:40 UTC" in result.stderr


def test_add_without_minutes_pays_what_the_server_is_set_to(desk):
    assert "30 min left" in desk.ok("add", "text", "--config", "falcon-config", "--owner", "bob")
    (lease,) = desk.world.services.meter.all().leases
    assert lease.owner == "bob"


def test_add_and_wait_ends_when_it_answers(desk):
    at_a_look(desk, desk.start)
    result = desk.run("add", "text", "--config", "falcon-config", "-m", "20", "--wait")
    assert result.exit_code == 0
    assert result.stdout.startswith("text: running, 20 min left")
    assert "text: starting" in result.stderr


def test_add_and_wait_ends_with_the_reason_when_it_fails(desk):
    at_a_look(desk, lambda: desk.start(failure="no file code/inference.py"))
    result = desk.run("add", "text", "--config", "falcon-config", "--wait")
    assert result.exit_code == 1
    last = result.stderr.splitlines()[-1]
    assert last.startswith("error: text does not run: failed: no file code/inference.py; ")
    assert "parkade logs text" in last


def test_add_and_wait_tells_a_refused_start(desk):
    refusal = ResourceLimitExceeded("65 instances are more than limits.workers, 64")
    desk.world.hosting.refuse("create", "text", refusal)
    at_a_look(desk, desk.world.sweep)
    result = desk.run("add", "text", "--config", "falcon-config", "--wait")
    assert result.exit_code == 1
    assert "limits.workers" in result.stderr.splitlines()[-1]


def test_waiting_ends_when_somebody_stops_it(desk):
    at_a_look(desk, lambda: desk.world.services.meter.stop("text", actor="bob"))
    result = desk.run("add", "text", "--config", "falcon-config", "--wait")
    assert result.exit_code == 1
    assert "text does not run: stopped" in result.stderr


def test_ls_shows_the_meters_and_its_json_is_the_apis_list(desk):
    desk.world.add("text", amount=minutes(20))
    desk.start()
    assert "● running" in desk.ok("ls")
    assert desk.json("ls") == desk.world.ok("GET", "/v1/endpoints")["endpoints"]


def test_ls_follows_pages(desk):
    for number in range(101):
        desk.world.add(f"e{number:03}")
    assert [each["name"] for each in desk.json("ls")] == [f"e{n:03}" for n in range(101)]


def test_ls_of_nothing_says_how_to_begin_and_its_json_is_an_empty_list(desk):
    result = desk.run("ls")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "parkade add" in result.stderr
    assert desk.json("ls") == []


def test_show_tells_one_endpoint(desk):
    desk.world.add("text", amount=minutes(20))
    text = desk.ok("show", "text")
    assert "◌ starting" in text
    assert "2026-03-01 12:20:00 UTC" in text
    assert desk.json("show", "text")["lease"]["owner"] == "ann"


def test_extend_adds_minutes(desk):
    desk.world.add("text", amount=minutes(20))
    said = desk.ok("extend", "text", "--minutes", "10.5")
    assert said == "text: starting, 30 min 30 s left (until 2026-03-01 12:30:30 UTC)\n"


def test_stop_and_start_and_remove(desk):
    desk.world.add("text", amount=minutes(20))
    assert desk.ok("stop", "text") == "text: stopped; start it again with: parkade start text\n"
    assert "text: starting, 5 min left" in desk.ok("start", "text", "--minutes", "5")
    assert desk.ok("remove", "text") == "text: removed\n"
    assert desk.json("ls") == []


def test_start_of_what_runs_says_to_extend(desk):
    desk.world.add("text", amount=minutes(20))
    assert "parkade extend text" in desk.error("start", "text")


def test_start_without_minutes_pays_what_the_server_is_set_to(desk):
    desk.world.add("text", amount=minutes(20))
    desk.ok("stop", "text")
    assert "30 min left" in desk.ok("start", "text")


@pytest.mark.parametrize("amount", ["nan", "inf", "-1", "0", "1e99"])
@pytest.mark.parametrize(
    "command",
    [("extend", "text"), ("start", "text"), ("add", "flan", "--config", "falcon-config")],
)
def test_minutes_that_are_no_time_are_refused(desk, command, amount):
    desk.world.add("text", amount=minutes(20))
    assert "minutes" in desk.error(*command, "--minutes", amount)
