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
    assert starts.by_config() == {"c": seconds(5), "d": seconds(7)}


def test_old_starts_do_not_count_where_that_is_said():
    world = World()
    world.started("c", NOW - seconds(100), NOW)
    world.started("d", NOW + minutes(5) - seconds(7), NOW + minutes(5))
    starts = Starts(world.history, since=lambda: NOW + minutes(1))
    assert starts.by_config() == {"d": seconds(7)}


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


def tell(world, kind, at, *, name="falcon", serving="c", pending=None, stage=None, same=False):
    change = {"status_before": "InService", "config_name": serving}
    if pending is not None:
        change["pending"] = {"config_name": pending, **({"stage": stage} if stage else {})}
        if same:
            change["pending"]["same_fleet"] = True
    event = an_event(f"endpoint.{kind}", at=at, endpoint_name=name, data={"change": change})
    world.history.append(event)


def test_the_fleet_of_an_update_is_measured_until_it_takes_over():
    world = World()
    starts = starts_of(world)
    tell(world, "updating", NOW, pending="d")
    tell(world, "updating", NOW + seconds(1), name="other", pending="e")
    assert starts.expected("d") is None
    tell(world, "switched", NOW + seconds(8), serving="d")
    tell(world, "in_service", NOW + seconds(40), serving="d")
    assert (starts.expected("d"), starts.expected("c"), starts.expected("e")) == (
        seconds(8), None, None,
    )  # fmt: skip


def test_an_update_in_stages_is_measured_until_the_first_requests_go_to_its_fleet():
    world = World()
    tell(world, "updating", NOW, pending="d", stage="rising")
    # A person cannot wait.
    tell(world, "rollout", NOW + seconds(1), pending="d", stage="rising")
    tell(world, "rollout", NOW + seconds(6), pending="d", stage="shifting")
    tell(world, "rollout", NOW + seconds(7), pending="d", stage="baking")
    tell(world, "rollout", NOW + seconds(300), pending="d", stage="shifting")
    tell(world, "switched", NOW + seconds(900), serving="d")
    starts = starts_of(world)
    assert (starts.expected("d"), starts.expected("c")) == (seconds(6), None)


def test_waking_is_starting():
    world = World()
    tell(world, "waking", NOW)
    tell(world, "awake", NOW + seconds(3))
    assert starts_of(world).expected("c") == seconds(3)


def test_what_is_not_the_time_of_a_whole_fleet_is_not_counted():
    world = World()
    # Instances that come to those that serve.
    tell(world, "updating", NOW, pending="c")
    tell(world, "switched", NOW + seconds(1))
    # It falls asleep.
    tell(world, "updating", NOW + seconds(2))
    tell(world, "switched", NOW + seconds(3))
    # It is rolled back before its fleet answers.
    tell(world, "updating", NOW + seconds(4), pending="d", stage="rising")
    tell(world, "rollout", NOW + seconds(9), pending="d", stage="rolling_back")
    tell(world, "in_service", NOW + seconds(60))
    # The first of two updates came to nothing.
    tell(world, "updating", NOW + seconds(70), pending="e")
    tell(world, "in_service", NOW + seconds(80))
    tell(world, "switched", NOW + seconds(90), serving="e")
    starts = starts_of(world)
    assert [starts.expected(name) for name in "cde"] == [None, None, None]


@pytest.mark.parametrize(
    "change", [{}, {"config_name": 1, "pending": {"config_name": 2}}, {"pending": 3}]
)
@pytest.mark.parametrize("kind", ["updating", "waking"])
def test_what_cannot_be_understood_of_a_beginning_is_none(kind, change):
    world = World()
    world.history.append(an_event(f"endpoint.{kind}", data={"change": change}))
    tell(world, "awake", NOW + seconds(3))
    assert starts_of(world).expected("c") is None


def test_another_config_on_the_fleet_that_serves_is_no_start_of_it():
    world = World()
    tell(world, "updating", NOW, pending="d", same=True)
    tell(world, "switched", NOW + seconds(1))
    assert starts_of(world).expected("d") is None
