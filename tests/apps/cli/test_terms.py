"""The commands on what is settled: schedule, keep."""

import pytest

HOURS = "mon-fri 09:00-17:00 Europe/Berlin"


@pytest.fixture
def leased(desk):
    desk.world.add("text")
    return desk


def test_schedule_sets_shows_and_ends_office_hours(leased):
    shown = f"text: {HOURS}, opens 2026-03-02 08:00:00 UTC\n"
    assert leased.ok("schedule", "text", "Mon-Fri 9:00-17:00 europe/berlin") == shown
    assert leased.ok("schedule", "text") == shown
    assert leased.json("schedule", "text")["schedule"]["hours"] == HOURS
    assert leased.ok("schedule", "text", "--off").startswith("text: no office hours; ")


def test_schedule_tells_until_when_it_is_open(leased):
    said = leased.ok("schedule", "text", "sun 09:00-17:00 UTC")
    assert said == "text: sun 09:00-17:00 UTC, open until 2026-03-01 17:00:00 UTC\n"


def test_a_wrong_word_is_told_without_asking_the_server(leased):
    line = leased.error("schedule", "text", "mno 09:00-17:00 UTC")
    assert "HOURS 'mno 09:00-17:00 UTC': word 1, 'mno': is no day; did you mean 'mon'?" in line
    assert "exclude each other" in leased.error("schedule", "text", HOURS, "--off")


def test_keep_sets_shows_and_ends_extension_by_use(leased):
    shown = "text: use adds 15 min when 5 min are left, 2 h at most\n"
    given = ("--by", "15", "--when-left", "5", "--at-most", "120")
    assert leased.ok("keep", "text", *given) == shown
    assert leased.ok("keep", "text") == shown
    assert leased.ok("keep", "text", "--off").startswith("text: use adds no time; ")


@pytest.mark.parametrize("given", [("--by", "15"), ("--by", "15", "--off")])
def test_keep_wants_all_of_its_numbers_or_none(leased, given):
    assert "--by, --when-left and --at-most go together" in leased.error("keep", "text", *given)


def test_show_tells_what_is_settled(leased):
    leased.ok("schedule", "text", HOURS)
    leased.ok("keep", "text", "--by", "15", "--when-left", "5", "--at-most", "120")
    said = leased.ok("show", "text")
    assert "use adds 15 min when 5 min are left, 2 h at most" in said
    assert HOURS in said


def test_without_a_lease_there_is_nothing_to_settle(desk):
    assert "no lease" in desk.error("schedule", "text", HOURS)
