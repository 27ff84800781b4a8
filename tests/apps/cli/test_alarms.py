"""`parkade alarms`: names, states, since when, and why."""

import pytest

from parkade.apps.cli import alarms
from tests.apps.cli.test_views import drawn
from tests.builders import an_alarm


@pytest.fixture
def alarmed(desk):
    book = desk.world.services.alarms.book
    book.put(an_alarm("busy"), "ann")
    book.put(
        an_alarm("a very long name of an alarm that nobody would choose for a terminal"), "ann"
    )
    return desk


def test_a_row_an_alarm(alarmed):
    shown = alarmed.ok("alarms")
    (row,) = (line for line in shown.splitlines() if line.startswith("busy"))
    assert "○ no data" in row
    assert "Sum of AWS/SageMaker Invocations" in row
    assert "Unchecked: Initial alarm creation" in shown


def test_json_is_the_answer_of_the_api(alarmed):
    told = alarmed.json("alarms", "falcon")
    assert [each["name"] for each in told["alarms"]][-1] == "busy"
    assert told["unreadable"] == {}


def test_no_alarm_at_all_is_said(desk):
    assert "There is no alarm on falcon" in desk.run("alarms", "falcon").output


def test_one_that_cannot_be_read_is_named(alarmed):
    alarmed.world.alarm_store.damage("busy", "it is torn")
    assert "busy is left alone" in alarmed.run("alarms").output


@pytest.mark.parametrize("width", [60, 80, 120])
def test_it_fits_the_terminal(alarmed, width):
    found = alarmed.json("alarms")["alarms"]
    shown = drawn(alarms.table(found), width)
    assert max(map(len, shown.splitlines())) <= width
    assert "○ no data" in shown
