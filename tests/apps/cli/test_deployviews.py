"""What the CLI draws of deployments, at the widths that people have."""

import io

import pytest
from rich.console import Console

from parkade.apps.cli import deployviews
from parkade.apps.cli.deploywait import Teller

SUM = {"usd": "0.204", "unpriced": []}


def drawn(renderable, width):
    file = io.StringIO()
    Console(file=file, width=width, color_system=None).print(renderable, highlight=False)
    return file.getvalue()


def trimmed(text):
    return "".join(line.rstrip() + "\n" for line in text.splitlines())


def a_step(kind, begun, ended=None, *, outcome="done", text="", retries=()):
    return {
        "kind": kind,
        "started_at": f"2026-03-01T12:00:{begun:02}Z",
        "ended_at": None if ended is None else f"2026-03-01T12:00:{ended:02}Z",
        "outcome": None if ended is None else outcome,
        "text": text,
        "retries": list(retries),
    }


def a_retry(error, pause=1.0):
    return {"at": "2026-03-01T12:00:00Z", "error": error, "pause_seconds": pause}


STEPS = [
    a_step("look", 0, 0, text="there is no endpoint 'text'"),
    a_step("config", 0, 1, text="text-0123456789 is made"),
    a_step("scaling_off", 1, 1, outcome="skipped", text="nothing was scaled"),
    a_step("bring_up", 1, 3, text="its lease has 30 min left"),
    a_step("wait", 3, text="it is Creating: 0 of 1 instances answer"),
]


def a_deployment(deployment_id="dep-0123456789ab", **changes):
    return {
        "id": deployment_id,
        "endpoint_name": "text",
        "status": "running",
        "reason": "",
        "actor": "ann",
        "owner": "ann",
        "cancelled_by": "",
        "begun_at": "2026-03-01T12:00:00Z",
        "ended_at": None,
        "took_seconds": 12.0,
        "config_name": "text-0123456789",
        "former_config_name": "",
        "steps": STEPS,
        "coming": ["check", "scaling_on", "notify"],
        "expected_at": None,
        "expected_in_seconds": None,
        "warnings": [],
        "fleets": None,
        **changes,
    }


FAILED = a_deployment(
    "dep-ba9876543210",
    endpoint_name="a-name-that-is-rather-long-for-a-table",
    status="failed",
    reason="wait: endpoint 'text' is Failed: no module named transformers",
    took_seconds=3725.0,
    steps=[],
    coming=[],
)
DONE = a_deployment("dep-fedcba987654", status="succeeded", steps=[], coming=[])

PROGRESS = """\
text  deployment dep-0123456789ab, 12 s
✓  look         0.0 s  there is no endpoint 'text'
✓  config       1.0 s  text-0123456789 is made
-  scaling off  0.0 s  nothing was scaled
✓  bring up     2.0 s  its lease has 30 min left
◌  wait         9.0 s  it is Creating: 0 of 1 instances answer
·  check
·  scaling on
·  notify
expected  in 4.0 s (2026-03-01 12:00:16 UTC)
"""


def test_who_waits_sees_what_was_done_what_goes_on_and_what_follows():
    view = a_deployment(expected_at="2026-03-01T12:00:16Z", expected_in_seconds=4.0)
    assert trimmed(drawn(deployviews.progress(view), 80)) == PROGRESS


def test_who_waits_sees_the_beginning_and_the_end_of_a_long_text_and_show_has_all_of_it():
    long = f"it failed: {'Traceback ' * 100}ModuleNotFoundError: no module x"
    view = a_deployment(steps=[a_step("check", 1, 2, outcome="failed", text=long)])
    drawn_short = " ".join(drawn(deployviews.progress(view), 80).split())
    assert "it failed: Traceback" in drawn_short
    assert "… " in drawn_short
    assert "no module x" in drawn_short
    assert drawn_short.count("Traceback") < 20
    assert drawn(deployviews.deployment(view), 200).count("Traceback") == 100


def test_the_word_about_a_failure_does_not_repeat_it():
    step = a_step("notify", 1, 2, text="deployment x of text failed: for a very long reason")
    text = drawn(deployviews.steps(a_deployment(steps=[step], coming=[])), 80)
    assert text.split() == ["✓", "notify", "1.0", "s", "ann", "was", "told", "how", "it", "ended"]


def test_errors_that_were_passed_over_stand_with_their_step():
    retries = [a_retry(f"busy {number}", 2.0**number) for number in range(5)]
    step = a_step("bring_up", 1, retries=retries)
    text = drawn(deployviews.steps(a_deployment(steps=[step])), 80)
    assert "2 errors before" in text
    assert "busy 1" not in text
    assert "again after 16 s: busy 4" in text


@pytest.mark.parametrize("width", [60, 80, 100, 120, 200])
def test_the_list_has_a_row_for_each_and_fits(width):
    found = [FAILED, DONE, a_deployment()]
    lines = drawn(deployviews.Deployments(found), width).splitlines()
    assert len(lines) == 2 + len(found)
    assert max(map(len, lines)) <= width
    assert "✗ failed" in lines[2]
    assert lines[2].startswith("dep-ba9876543210")
    assert lines[2].rstrip().endswith("1 h 2 min")
    assert "✓ succeeded" in lines[3]
    assert "◌ wait" in lines[4]


def test_the_list_says_why_where_there_is_room():
    text = drawn(deployviews.Deployments([FAILED]), 200)
    assert "✗ failed: wait: endpoint 'text' is Failed: no module named transformers" in text


def test_one_deployment_with_all_that_is_known():
    fleet = {
        "config_name": "text-9876543210",
        "machines": ["1 x ml.c5.xlarge"],
        "hourly": SUM,
        "share": 0.9,
        "expected_in_seconds": None,
    }
    rising = {**fleet, "config_name": "text-0123456789", "share": 0.1}
    view = a_deployment(
        owner="bob",
        former_config_name="text-9876543210",
        warnings=["AcceleratorType ml.eia1.medium has no effect: AWS retired it"],
        fleets={"fleets": [fleet, rising], "hourly": {"usd": "0.408", "unpriced": []}},
        cancelled_by="eve",
    )
    text = drawn(deployviews.deployment(view), 120)
    for told in (
        "status      ◌ wait",
        "called off  by eve",
        "before      text-9876543210",
        "begun       2026-03-01 12:00:00 UTC by ann, for bob",
        "old fleet   1 x ml.c5.xlarge of text-9876543210: 0.20 USD an hour, 90% of the requests",
        "new fleet   1 x ml.c5.xlarge of text-0123456789: 0.20 USD an hour, 10% of the requests",
        "together    0.41 USD an hour",
        "note        AcceleratorType ml.eia1.medium has no effect: AWS retired it",
    ):
        assert told in text


def a_rehearsal(**changes):
    return {
        "endpoint_name": "text",
        "config_name": "text-0123456789",
        "creates": False,
        "steps": [
            {"kind": "look", "text": "text runs text-9876543210"},
            {"kind": "scaling_off", "text": "scaling of AllTraffic is suspended"},
        ],
        "hourly": {"before": SUM, "meanwhile": {"usd": "0.408", "unpriced": []}, "after": SUM},
        "quote": "",
        "problems": [],
        "warnings": [],
        **changes,
    }


def test_a_rehearsal_tells_the_plan_and_the_price_of_both_fleets():
    text = drawn(deployviews.rehearsal(a_rehearsal()), 80)
    assert text.startswith("It would update text, to serve text-0123456789\n")
    assert "2  scaling off  scaling of AllTraffic is suspended" in text
    assert "now          0.20 USD an hour" in text
    assert "both fleets  0.41 USD an hour" in text
    assert "then         0.20 USD an hour" in text


def test_a_rehearsal_of_what_is_new_tells_the_lease_and_one_price():
    quote = "30 more minutes of 1 x ml.c5.xlarge: 0.10 USD"
    text = drawn(deployviews.rehearsal(a_rehearsal(creates=True, quote=quote)), 80)
    assert text.startswith("It would create text")
    assert f"lease  {quote}" in text
    assert "price  0.20 USD an hour" in text
    assert "both fleets" not in text


def test_a_rehearsal_without_a_second_fleet_speaks_of_one():
    hourly = {"before": SUM, "meanwhile": SUM, "after": SUM}
    text = drawn(deployviews.rehearsal(a_rehearsal(hourly=hourly)), 80)
    assert "now   0.20 USD an hour" in text
    assert "both fleets" not in text


def test_a_rehearsal_tells_what_is_wrong_with_what_to_do():
    problem = {"message": "no model has the name 'm'", "hint": "see: parkade model ls"}
    text = drawn(deployviews.rehearsal(a_rehearsal(problems=[problem])), 80)
    assert "no model has the name 'm'; see: parkade model ls" in text


def test_markup_in_texts_is_text():
    step = a_step("wait", 3, text="[red]list[int][/red]")
    assert "[red]list[int][/red]" in drawn(deployviews.steps(a_deployment(steps=[step])), 80)


def test_without_a_terminal_each_piece_of_news_is_a_line_of_its_own():
    said = []
    teller = Teller(said.append)
    teller.news(a_deployment(steps=STEPS[:1]))
    retried = a_step("config", 0, retries=[a_retry("the store is busy")])
    teller.news(a_deployment(steps=[STEPS[0], retried]))
    teller.news(a_deployment(steps=[STEPS[0], retried]))
    teller.news(a_deployment())
    assert said == [
        "look done: there is no endpoint 'text'",
        "config begun",
        "config: the store is busy; it is tried again",
        "config done: text-0123456789 is made",
        "scaling off skipped: nothing was scaled",
        "bring up done: its lease has 30 min left",
        "wait begun: it is Creating: 0 of 1 instances answer",
    ]
