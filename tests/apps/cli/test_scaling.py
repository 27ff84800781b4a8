"""`parkade scale`, and what show and ls tell of it."""

import io
import json

import pytest
from rich.console import Console

from parkade.apps.cli import scaleviews
from parkade.domain.scaling.activity import Held
from parkade.domain.scaling.deciding import Decision
from parkade.domain.scaling.target import Resource
from parkade.services.scaletuning import POLICY_NAME
from tests.builders import NOW, minutes
from tests.scaled import ADAPTER, a_reading

MAIN = Resource("text", "main")
OTHER = Resource("text", "other")
CRON = "cron(0 8 ? * MON-FRI *)"


@pytest.fixture
def desk(desk):
    desk.world.capacity.put(a_reading(MAIN, current=1, desired=1))
    return desk


@pytest.fixture
def scaled(desk):
    desk.ok("scale", "set", "text", "--min", "1", "--max", "4", "--target", "600")
    return desk


def only(desk, endpoint="text"):
    (found,) = desk.json("scale", "show", endpoint)["capacities"]
    return found


def test_set_tells_how_it_is_scaled_then(desk):
    said = desk.ok("scale", "set", "text", "--min", "1", "--max", "4", "--target", "600")
    rule = "600 invocations a minute for each; waits 300 s after more, 300 s after fewer"
    assert [" ".join(line.split()) for line in said.splitlines()] == [
        "text",
        "",
        "variant main",
        "now 1",
        "scaled between 1 and 4",
        f"policy {POLICY_NAME}: {rule}",
        "alarms: high INSUFFICIENT_DATA, low INSUFFICIENT_DATA",
    ]


def test_set_changes_what_is_given_alone(scaled):
    scaled.ok("scale", "set", "text", "--max", "8", "--scale-in", "off", "--out-cooldown", "60")
    found = only(scaled)
    assert (found["min"], found["max"]) == (1, 8)
    (policy,) = found["policies"]
    assert (policy["target"], policy["scale_in"]) == (600, False)
    assert policy["scale_out_cooldown_seconds"] == 60
    scaled.ok(
        "scale", "set", "text", "--scale-in", "on", "--metric", "concurrency", "--target", "2"
    )
    (policy,) = only(scaled)["policies"]
    assert (policy["metric"], policy["target"], policy["scale_in"]) == ("concurrency", 2, True)


def test_set_without_anything_to_set_is_refused(desk):
    line = desk.error("scale", "set", "text")
    assert line.endswith("parkade scale set text --min 1 --max 4 --target 600")


def test_what_the_server_refuses_is_told(desk):
    assert "both bounds are needed" in desk.error("scale", "set", "text", "--min", "1")
    desk.world.capacity.put(a_reading(OTHER, endpoint_name="text"))
    line = desk.error("scale", "set", "text", "--min", "1", "--max", "2")
    assert "variant 'main', variant 'other'" in line
    assert "no endpoint 'none'" in desk.error("scale", "show", "none")
    assert "nothing of endpoint 'text' is scaled" in desk.error("scale", "off", "text")
    assert "nothing of text is scaled" in desk.error("scale", "suspend", "text")


def test_one_of_several_is_named(desk):
    desk.world.capacity.put(a_reading(OTHER, endpoint_name="text"))
    given = ("--min", "1", "--max", "2", "--json")
    view = json.loads(desk.ok("scale", "set", "text", "--variant", "other", *given))
    assert [each["scaled"] for each in view["capacities"]] == [False, True]
    desk.world.capacity.put(a_reading(ADAPTER, endpoint_name="parts"))
    desk.ok("scale", "set", "parts", "--component", "adapter", "--min", "0", "--max", "2")
    assert only(desk, "parts")["component_name"] == "adapter"


def test_all_of_an_endpoint_is_suspended_and_resumed_or_a_part(desk):
    desk.world.capacity.put(a_reading(OTHER, endpoint_name="text"))
    for variant in ("main", "other"):
        desk.ok("scale", "set", "text", "--variant", variant, "--min", "1", "--max", "2")

    def suspended():
        view = desk.json("scale", "show", "text")
        return [
            [name for name, held in each["suspended"].items() if held]
            for each in view["capacities"]
        ]

    everything = ["scale_in", "scale_out", "scheduled"]
    desk.ok("scale", "suspend", "text")
    assert suspended() == [everything, everything]
    desk.ok("scale", "resume", "text", "--out")
    said = desk.ok("scale", "resume", "text", "--variant", "other")
    assert "suspended  scaling in, scheduled actions" in said
    assert suspended() == [["scale_in", "scheduled"], []]
    desk.ok("scale", "suspend", "text", "--variant", "other", "--in", "--scheduled")
    desk.ok("scale", "resume", "text", "--in")
    assert suspended() == [["scheduled"], ["scheduled"]]


def test_a_scheduled_action_is_made_shown_and_deleted(scaled):
    said = scaled.ok(
        "scale", "schedule", "text", "morning", CRON, "--zone", "Europe/Berlin", "--min", "2",
        "--until", "2026-12-01",
    )  # fmt: skip
    assert f"morning: {CRON} Europe/Berlin sets min 2; next 2026-03-02 07:00:00 UTC" in said
    (action,) = only(scaled)["scheduled"]
    assert action["ends_at"] == "2026-12-01T00:00:00Z"
    scaled.ok("scale", "schedule", "text", "morning", "--max", "3")
    (action,) = only(scaled)["scheduled"]
    assert (action["schedule"], action["min"], action["max"]) == (CRON, None, 3)
    scaled.ok("scale", "schedule", "text", "morning", "--off")
    assert only(scaled)["scheduled"] == []
    assert "morning" in scaled.error("scale", "schedule", "text", "morning", "--off")


def test_a_wrong_schedule_is_told_without_asking_the_server(scaled):
    scaled.front.looks_on = pytest.fail
    line = scaled.error("scale", "schedule", "text", "m", "tomorrow", "--min", "2")
    assert "Schedule 'tomorrow'" in line
    line = scaled.error("scale", "schedule", "text", "m", CRON, "--zone", "Berlin", "--min", "2")
    assert "Timezone 'Berlin'" in line
    assert "--off" in scaled.error("scale", "schedule", "text", "m", CRON, "--off")


def test_off_leaves_the_number_as_it_is(scaled):
    said = scaled.ok("scale", "off", "text")
    assert ["scaled", "no"] in [line.split() for line in said.splitlines()]
    assert scaled.world.capacity.done == []


def decide(desk, **changes):
    given = {"before": 1, "wanted": 1, "reason": "policy p: its metric was 250", "at": NOW}
    desk.world.moves.decisions[MAIN.id] = Decision(**{**given, **changes})


def test_show_tells_the_numbers_the_last_decision_and_when_it_may_change(scaled):
    scaled.world.add("text")
    decide(scaled, next_at=NOW + minutes(3))
    scaled.start()
    said = " ".join(scaled.ok("show", "text").split())
    assert "instances main: 1, scaled between 1 and 4; 600 invocations a minute" in said
    assert (
        "stays at 1: policy p: its metric was 250; may change from 2026-03-01 12:03:00 UTC on"
        in said
    )
    decide(scaled, wanted=3)
    scaled.world.capacity.put(a_reading(MAIN, current=1, desired=3))
    scaled.ok("scale", "suspend", "text", "--in")
    said = " ".join(scaled.ok("show", "text").split())
    assert "main: 1 of 3, scaled between" in said
    assert "suspended: scaling in" in said
    assert "from 1 to 3: policy p: its metric was 250; may change at the next look" in said
    said = " ".join(scaled.ok("scale", "show", "text").split())
    assert "now 1, on the way to 3" in said
    assert "may change at the next look, within a minute" in said
    assert " 1/3 " in scaled.ok("ls")


def test_activities_tell_what_was_done_and_what_was_not(scaled):
    scaled.world.capacity.room = 2
    scaled.ok("scale", "set", "text", "--min", "3")
    target = scaled.world.services.scaling.book.target(MAIN)
    (policy,) = scaled.world.services.scaling.book.policies(MAIN).records
    held = Decision(
        before=1, wanted=1, reason="it is full", at=NOW, policy_name=policy.name,
        alarm_name=policy.alarm_names[0], held=Held.AT_MOST,
    )  # fmt: skip
    scaled.world.moves.hold(scaled.world.capacity.read(MAIN), target, held, Held.AT_MOST)
    lines = [" ".join(each.split()) for each in scaled.ok("scale", "show", "text").splitlines()]
    assert (
        "2026-03-01 12:00:00 UTC main 1 to 3 Failed minimum capacity was set to 3: Failed to set "
        "desired instance count to 3. Reason: there is room for 2 in all" in lines
    )
    assert (
        "2026-03-01 12:00:00 UTC main stays at 1 Unfulfilled Nothing was changed: it is full."
        in lines
    )


def test_what_is_damaged_is_told_beside(scaled):
    scaled.world.scaling_store.targets.damage(MAIN.id, "torn")
    result = scaled.run("scale", "show", "text")
    assert f"{MAIN.id} is left alone" in result.stderr


def test_an_endpoint_of_which_nothing_can_be_scaled(desk):
    desk.world.add("empty")
    result = desk.run("scale", "show", "empty")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "empty does not run, and nothing of it is scaled" in result.stderr


def drawn(view, width):
    console = Console(width=width, record=True, file=io.StringIO())
    console.print(scaleviews.scaling(view))
    return console.export_text()


@pytest.mark.parametrize("width", [80, 120])
def test_it_fits_the_terminal(scaled, width):
    scaled.ok("scale", "schedule", "text", "morning", CRON, "--zone", "Europe/Berlin", "--min", "2")
    scaled.ok("scale", "set", "text", "--min", "3")
    decide(scaled, next_at=NOW)
    text = drawn(scaled.json("scale", "show", "text"), width)
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text


def test_steps_are_told_with_their_alarms():
    policy = {
        "kind": "step",
        "adjustment": "ChangeInCapacity",
        "steps": [
            {"lower": None, "upper": 5.0, "adjustment": -1},
            {"lower": 5.0, "upper": None, "adjustment": 2},
        ],
    }
    assert scaleviews.rule(policy) == ("steps by the alarms that name it: -1 to 5; +2 from 5")
    exact = {**policy, "adjustment": "ExactCapacity", "steps": policy["steps"][1:]}
    assert scaleviews.rule(exact).endswith("to 2 from 5")
    percent = {**policy, "adjustment": "PercentChangeInCapacity", "steps": policy["steps"][:1]}
    assert scaleviews.rule(percent).endswith("-1 % to 5")
