"""The page behind the link of a notice: what it shows, and its status for everything that can be."""

from dataclasses import replace

import pytest

from parkade.domain.errors import BudgetExceeded, Unreadable
from tests.apps.api.world import World
from tests.builders import NOW, minutes

START = "http://parkade.example"


@pytest.fixture
def world():
    built = World()
    built.add("falcon", owner="ann", amount=minutes(30))
    return built


@pytest.fixture
def path(world):
    return world.services.outbox.links.make("falcon").removeprefix(START)


def show(world, path, method="GET"):
    answer = world.call(method, path, by=None)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"
    return answer


def test_the_page_says_what_is_left_and_what_is_added(world, path):
    world.clock.advance(minutes(25))
    page = show(world, path)
    assert page.status_code == 200
    for text in ("falcon", "Its time runs out", "5 min", "01 Mar 2026, 12:30 UTC", "Add 30 min"):
        assert text in page.text


def test_the_page_of_one_that_has_stopped_offers_to_start_it(world, path):
    world.clock.advance(minutes(31))
    page = show(world, path)
    assert "It has stopped" in page.text
    assert "Start it again for 30 min" in page.text
    done = show(world, path, "POST")
    assert "It is being started again" in done.text
    assert "is paid until 01 Mar 2026, 13:01 UTC" in done.text


def test_the_price_is_shown_where_it_is_known(world, path):
    assert "Price" not in show(world, path).text
    world.services.outbox.links._price = lambda lease, amount: f"{lease.owner} pays 1.20 USD"
    page = show(world, path)
    assert "<dt>Price</dt><dd>ann pays 1.20 USD</dd>" in page.text


def test_a_look_is_answered_without_a_body_too_and_changes_nothing(world, path):
    before = world.services.meter.get("falcon")
    head = show(world, path, "HEAD")
    assert (head.status_code, head.text) == (200, "")
    assert world.services.meter.get("falcon") == before


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_link_that_was_used_or_is_over_is_gone(world, path, method):
    assert show(world, path, "POST").status_code == 200
    page = show(world, path, method)
    assert page.status_code == 410
    assert "on 01 Mar 2026, 12:00 UTC" in page.text
    other = world.services.outbox.links.make("falcon").removeprefix(START)
    world.clock.advance(minutes(60 * 24 * 3))
    page = show(world, other, method)
    assert page.status_code == 410
    assert "This link is over" in page.text


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (BudgetExceeded("<b>ann</b> has 0 USD left", until=NOW), 402),
        (Unreadable("the lease cannot be read"), 500),
    ],
)
def test_what_keeps_it_from_extending_is_told_with_its_status(world, path, error, status):
    def refuse(*_arguments, **_options):
        raise error

    world.services.meter.extend = refuse
    page = show(world, path, "POST")
    assert page.status_code == status
    assert "Nothing was changed" in page.text
    assert "<b>" not in page.text
    assert world.services.outbox.links.look(path.removeprefix("/x/")).state == "open"


def test_more_than_is_allowed_is_refused_in_words(world):
    outbox = world.services.outbox
    outbox.rules.now = replace(outbox.rules.now, amount=minutes(60 * 24 * 30))
    path = outbox.links.make("falcon").removeprefix(START)
    page = show(world, path, "POST")
    assert page.status_code == 400
    assert "minutes ahead" in page.text


def test_nothing_but_looking_and_pressing_is_possible(world, path):
    for method in ("PUT", "DELETE", "PATCH"):
        assert world.call(method, path, by=None).status_code == 405


def test_no_route_may_take_its_path(world):
    status, error = world.error("PUT", "/v1/routes/x", json={"endpoint_name": "falcon"})
    assert (status, error["field"]) == (400, "path")
