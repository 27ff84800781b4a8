"""Measured start times: which count, and what follows from them."""

import pytest

from parkade.services.starts import REMEMBERED, Starts
from tests.builders import NOW, an_event, minutes, seconds
from tests.services.world import World


def starts_of(world):
    return Starts(world.history, margin=lambda: seconds(30), first=lambda: minutes(2))


def test_a_config_that_was_never_started_has_the_first_lead():
    starts = starts_of(World())
    assert starts.expected("c") is None
    assert starts.leads(["c"]) == {"c": minutes(2)}


def test_the_lead_is_what_nine_starts_in_ten_do_not_exceed_and_a_margin():
    world = World()
    for took in range(1, 21):
        world.started("c", NOW - seconds(took), NOW)
    starts = starts_of(world)
    assert starts.expected("c") == seconds(18)
    assert starts.leads(["c", "d"]) == {"c": seconds(48), "d": minutes(2)}


def test_the_last_starts_count_and_new_ones_are_seen():
    world = World()
    for _ in range(REMEMBERED):
        world.started("c", NOW - seconds(100), NOW)
    starts = starts_of(world)
    assert starts.expected("c") == seconds(100)
    for _ in range(REMEMBERED):
        world.started("c", NOW - seconds(5), NOW)
        world.started("d", NOW - seconds(7), NOW)
    assert (starts.expected("c"), starts.expected("d")) == (seconds(5), seconds(7))
    assert starts_of(world).expected("c") == seconds(5)


def test_one_start_is_enough_to_know():
    world = World()
    world.started("c", NOW - seconds(9), NOW)
    assert starts_of(world).expected("c") == seconds(9)


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"change": None},
        {"change": {"status_before": "Updating", "config_name": "c", "created_at": "2026-03-01"}},
        {"change": {"status_before": "Creating"}},
    ],
)
def test_what_is_no_start_is_not_counted(data):
    world = World()
    world.history.append(an_event("endpoint.in_service", data=data))
    assert starts_of(world).expected("c") is None
