"""What is drawn, at the widths that people have."""

import io
from datetime import timedelta

import pytest
from rich.console import Console

from parkade.apps.cli import views
from parkade.apps.cli.watch import Seen, frame


def drawn(renderable, width, *, colours=False):
    console = Console(
        file=io.StringIO(),
        width=width,
        force_terminal=colours,
        color_system="standard" if colours else None,
        legacy_windows=False,
        _environ={},
    )
    console.print(renderable)
    return console.file.getvalue()


def a_meter(name="text", **changes):
    lease = {
        "config_name": f"{name}-config",
        "owner": "ann",
        "created_at": "2026-03-01T12:00:00Z",
        "expires_at": "2026-03-01T12:40:00Z",
        "time_left_seconds": 1200.0,
        "clock_paused": False,
        "ended": None,
        "ended_at": None,
        "retries": 0,
        **changes.pop("lease", {}),
    }
    return {
        "name": name,
        "status": "InService",
        "state": "running",
        "reason": "running",
        "hint": "",
        "expected_at": None,
        "expected_in_seconds": None,
        "config_name": f"{name}-config",
        "target_config_name": "",
        "failure_reason": "",
        "created_at": "2026-03-01T12:00:01Z",
        "healthy": 1,
        "wanted": 1,
        "lease": lease,
        "requests_per_second": 3.24,
        "in_flight": 2,
        "instances": [],
        **changes,
    }


FAILURE = "failed: ModuleNotFoundError: No module named 'transformers'; see the worker's log"
METERS = [
    a_meter(),
    a_meter(
        "falcon-40b-instruct",
        state="failed",
        reason=FAILURE,
        requests_per_second=0.0,
        lease={"time_left_seconds": 95.0, "owner": "data-science-team"},
    ),
    a_meter(
        "flan",
        state="expired",
        reason="expired",
        requests_per_second=0.0,
        lease={"time_left_seconds": 0.0, "ended": "expired"},
        created_at=None,
        status="Absent",
        healthy=0,
        wanted=0,
    ),
    a_meter(
        "stray",
        lease={},
        requests_per_second=1234.5,
        capacities=[{"current": 1, "desired": 3}, {"current": 0, "desired": 0}],
    )
    | {"lease": None},
]

AT_80 = """\
Endpoint            Time left               State         Owner        Up  Req/s
────────────────────────────────────────────────────────────────────────────────
text                █████      20 min       ● running     ann           1    3.2
falcon-40b-instru…  ▍          1 min 35 s   ✗ failed: M…  data-scie…    1    0.0
flan                           over         ○ expired     ann           0    0.0
stray               no lease                ● running     -           1/3   1234
"""


def trimmed(text):
    return "".join(line.rstrip() + "\n" for line in text.splitlines())


def test_the_meters_at_80_columns():
    assert trimmed(drawn(views.Meters(METERS), 80)) == AT_80


def test_the_meters_at_120_columns_have_a_longer_bar():
    text = drawn(views.Meters(METERS), 120)
    heading, _, first, *_ = text.splitlines()
    assert heading.split() == ["Endpoint", "Time", "left", "State", "Owner", "Up", "Req/s"]
    assert "██████████           20 min" in first
    assert "falcon-40b-instruct" in text
    assert "data-science-team" in text


def test_in_a_pipe_nothing_is_cut():
    text = drawn(views.Meters(METERS), 1000)
    assert FAILURE in text


@pytest.mark.parametrize("width", [60, 72, 80, 99, 100, 120, 200])
def test_no_line_is_wider_than_the_terminal_and_no_row_is_broken(width):
    long = [
        a_meter(
            "e" * 63,
            state="failed",
            reason="failed: " + "x" * 900,
            config_name="c" * 63,
            lease={"owner": "o" * 63, "time_left_seconds": 86399.0 * 3},
        ),
        *METERS,
    ]
    lines = drawn(views.Meters(long), width).splitlines()
    assert len(lines) == 2 + len(long)
    assert max(map(len, lines)) <= width
    assert all("2 d 23 h" in line for line in lines[2:3])


def test_what_starts_says_how_long_it_still_takes():
    starting = a_meter(
        state="starting",
        reason="starting",
        expected_at="2026-03-01T12:01:15.4Z",
        expected_in_seconds=75.4,
    )
    assert "◌ starting, ~1 min 15 s" in drawn(views.Meters([starting]), 80)
    one = drawn(views.endpoint(starting), 120)
    assert "in 1 min 15 s (2026-03-01 12:01:15 UTC), as its config used to take" in one


def test_an_update_is_shown_with_where_it_goes_and_one_that_failed_with_its_reason():
    updating = a_meter(status="Updating", target_config_name="next-config")
    assert "running, updating to next-config" in drawn(views.Meters([updating]), 120)
    one = drawn(views.endpoint(updating), 120)
    assert "updating to" in one
    assert "Updating, 1 of 1 answer" in one
    failed = a_meter(failure_reason="endpoint config next-config could not be brought up")
    assert "could not be brought up" in drawn(views.endpoint(failed), 120)


def test_what_runs_has_its_price_and_two_fleets_have_both():
    def fleet(config, machines, usd, share=1.0, left=None):
        return {
            "config_name": config,
            "machines": machines,
            "hourly": {"usd": usd, "unpriced": []},
            "share": share,
            "expected_in_seconds": left,
        }

    one = fleet("text-config", ["2 x ml.c5.xlarge"], "0.408")
    alone = a_meter(fleets={"fleets": [one], "hourly": one["hourly"]})
    assert "runs on    2 x ml.c5.xlarge: 0.41 USD an hour" in drawn(views.endpoint(alone), 80)
    two = fleet("next-config", ["1 x ml.g5.xlarge", "1 x ml.x1.large"], "1.41", 0.0, 12.3)
    hourly = {"usd": "1.818", "unpriced": ["ml.x1.large"]}
    text = drawn(views.endpoint(a_meter(fleets={"fleets": [one, two], "hourly": hourly})), 120)
    assert (
        "old fleet  2 x ml.c5.xlarge of text-config: 0.41 USD an hour, 100% of the requests" in text
    )
    assert "of next-config: 1.41 USD an hour, expected in 12 s" in text
    assert "together   1.82 USD + 1 unpriced (ml.x1.large) an hour" in text
    none = a_meter(fleets={"fleets": [], "hourly": {"usd": "0.00", "unpriced": []}})
    assert "an hour" not in drawn(views.endpoint(none), 80)


def test_colours_are_for_terminals_alone():
    assert "\x1b[" in drawn(views.Meters(METERS), 80, colours=True)
    assert "\x1b[" not in drawn(views.Meters(METERS), 80)


@pytest.mark.parametrize(
    ("left", "cells"),
    [
        (0, "        "),
        (0.01, "▏       "),
        (30, "████    "),
        (33, "████▍   "),
        (59.99, "████████"),
        (60, "████████"),
        (90, "████████"),
    ],
)
def test_the_bar_shows_the_part_of_the_time_that_is_left(left, cells):
    hour = timedelta(minutes=60)
    assert views.bar(timedelta(minutes=left), hour, 8).plain == cells


@pytest.mark.parametrize(
    ("minutes", "colour"), [(11, "green"), (10, "yellow"), (2.1, "yellow"), (2, "red"), (0, "red")]
)
def test_the_bar_warns_by_its_colour(minutes, colour):
    bar = views.bar(timedelta(minutes=minutes), timedelta(hours=1), 8)
    assert str(bar.style).startswith(colour)


def test_an_endpoint_that_was_started_again_is_measured_from_its_start():
    seen = a_meter(
        created_at="2026-03-02T12:00:00Z",
        lease={"expires_at": "2026-03-02T12:10:00Z", "time_left_seconds": 600.0},
    )
    assert views.time_left(seen, 8).plain.startswith("████████ 10 min")


def test_an_update_in_stages_tells_how_far_it_is():
    rollout = {
        "strategy": "canary, 10 % first",
        "stage": "baking",
        "share": 0.1,
        "until": "2026-03-01T12:34:00Z",
        "alarms": ["errors", "latency"],
        "promoted": False,
        "reason": "",
    }
    told = " ".join(drawn(views.endpoint(a_meter(rollout=rollout)), 120).split())
    assert "canary, 10 % first: 10% of requests go to it, watched until" in told
    assert "guarded by errors, latency" in told
    alike = {"machines": ["1 x ml.c5.xlarge"], "hourly": {"usd": "0.204", "unpriced": []}}
    fleets = [
        {**alike, "config_name": name, "share": share, "expected_in_seconds": None}
        for name, share in (("blue", 0.9), ("green", 0.1))
    ]
    both = a_meter(rollout=rollout, fleets={"fleets": fleets, "hourly": alike["hourly"]})
    told = " ".join(drawn(views.endpoint(both), 120).split())
    assert "canary, 10 % first: watched until" in told
    assert told.count("10%") == 1
    back = {**rollout, "stage": "rolling_back", "until": None, "reason": "alarm errors went off"}
    told = " ".join(drawn(views.endpoint(a_meter(rollout=back)), 80).split())
    assert "rolled back: alarm errors went off" in told
    assert "guarded" not in told


def test_one_endpoint_is_told_with_its_instances_and_what_to_do():
    seen = a_meter(
        state="failed",
        reason="failed: it is broken",
        hint="see: parkade logs text",
        instances=[
            {
                "id": "0123456789ab",
                "variant_name": "AllTraffic",
                "pid": 4711,
                "state": "running",
                "started_at": "2026-03-01T12:00:01Z",
                "restarts": 2,
            }
        ],
    )
    text = drawn(views.endpoint(seen), 80)
    assert max(map(len, text.splitlines())) <= 80
    for told in (
        "✗ failed: it is broken",
        "see: parkade logs text",
        "20 min",
        "2026-03-01 12:40:00 UTC",
        "InService, 1 of 1 answer",
        "3.2 requests/s, 2 under way",
        "0123456789ab",
        "4711",
    ):
        assert told in text


def test_a_plan_says_when_the_next_decision_is_due():
    plan = {
        "now": "2026-03-01T12:00:00Z",
        "next_at": "2026-03-01T12:09:58Z",
        "actions": [
            {"kind": "stop", "endpoint_name": "text", "reason": "expired 0.2 s ago"},
            {"kind": "nothing", "endpoint_name": "flan", "reason": "paid for 10 min more"},
        ],
    }
    text = drawn(views.plan(plan), 80)
    assert "stop" in text
    assert "expired 0.2 s ago" in text
    assert "due in 9 min 58 s" in text
    assert "Nothing is due" in drawn(views.plan({**plan, "next_at": None}), 80)


def test_the_screen_of_watch_counts_what_runs():
    text = drawn(frame(Seen(url="http://127.0.0.1:8700", endpoints=tuple(METERS))), 80)
    assert text.startswith("Parkade  http://127.0.0.1:8700  2 of 4 running")
    assert "q quits" in text


def test_the_screen_of_watch_keeps_the_last_meters_while_the_server_is_away():
    seen = Seen(
        url="http://127.0.0.1:8700", endpoints=tuple(METERS), trouble="unreachable, retrying"
    )
    text = drawn(frame(seen), 80)
    assert "unreachable, retrying" in text.splitlines()[0]
    assert "20 min" in text


def test_markup_in_names_and_reasons_is_text():
    seen = a_meter(reason="failed: list[int] [red]x[/red]", state="failed")
    assert "[red]x[/red]" in drawn(views.Meters([seen]), 120)
