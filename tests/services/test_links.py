"""Links that extend: once, for one lease, for a while, and whoever holds one needs no more."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from parkade.adapters.memory.clock import ManualClock
from parkade.domain.errors import BudgetExceeded, InvalidInput
from parkade.domain.lease import EndReason
from parkade.domain.link import LinkState
from parkade.ports.events import EventQuery
from tests.builders import NOW, minutes
from tests.outgoing import outgoing
from tests.services.world import World

START = "http://parkade.example/x/"


class Desk(World):
    def __init__(self, **rules):
        super().__init__(**rules)
        self.area = outgoing(
            self.history, book=self.book, meter=self.meter, clock=self.clock, wall=ManualClock(NOW)
        )
        self.links = self.area.links
        self.meter.add("falcon", "falcon-config", amount=minutes(30), owner="ann", actor="ann")

    def token(self):
        url = self.links.make("falcon")
        assert url.startswith(START)
        return url.removeprefix(START)

    def state(self, token):
        return self.links.look(token).state

    def rule(self, **changes):
        self.area.rules.now = replace(self.area.rules.now, **changes)


@pytest.fixture
def desk():
    return Desk()


def test_a_link_extends_its_lease_by_what_it_says(desk):
    token = desk.token()
    offer = desk.links.look(token)
    assert (offer.state, offer.link.amount) == (LinkState.OPEN, minutes(30))
    _, lease = desk.links.use(token)
    assert lease.expires_at == NOW + minutes(60)
    event = desk.history.latest(EventQuery(limit=1))[-1]
    assert (event.kind, event.actor) == ("lease.extended", "link")


def test_looking_changes_nothing_however_often(desk):
    token = desk.token()
    before = (desk.book.all(), len(desk.history.read(EventQuery())))
    for _ in range(10):
        assert desk.state(token) is LinkState.OPEN
    assert (desk.book.all(), len(desk.history.read(EventQuery()))) == before


def test_a_link_counts_once_and_tells_when(desk):
    token = desk.token()
    desk.clock.advance(minutes(3))
    desk.links.use(token)
    desk.clock.advance(minutes(3))
    for _ in range(2):
        offer, lease = desk.links.use(token)
        assert (offer.state, lease) == (LinkState.USED, None)
        assert offer.used_at == NOW + minutes(3)
    assert desk.book.get("falcon").expires_at == NOW + minutes(60)


def test_two_links_count_twice(desk):
    one, two = desk.token(), desk.token()
    desk.links.use(one)
    desk.links.use(two)
    assert desk.book.get("falcon").expires_at == NOW + minutes(90)


def test_a_crowd_with_one_link_adds_its_time_once(desk):
    token = desk.token()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: desk.links.use(token), range(24)))
    assert desk.book.get("falcon").expires_at == NOW + minutes(60)


def test_a_lease_that_is_over_meanwhile_is_started_again(desk):
    token = desk.token()
    desk.clock.advance(minutes(45))
    assert desk.state(token) is LinkState.OPEN
    _, lease = desk.links.use(token)
    assert lease.expires_at == NOW + minutes(75)
    assert lease.ended is None


def test_one_that_was_stopped_is_started_again(desk):
    token = desk.token()
    desk.meter.stop("falcon", actor="ann")
    assert desk.book.get("falcon").ended is EndReason.STOPPED
    _, lease = desk.links.use(token)
    assert lease.ended is None


def test_a_link_is_over_a_while_after_the_time_that_was_paid_for(desk):
    desk.rule(lifetime=minutes(60))
    token = desk.token()
    desk.clock.advance(minutes(90) - minutes(0.001))
    assert desk.state(token) is LinkState.OPEN
    desk.clock.advance(minutes(0.001))
    offer, lease = desk.links.use(token)
    assert (offer.state, lease) == (LinkState.EXPIRED, None)
    assert desk.book.get("falcon").expires_at == NOW + minutes(30)


def test_a_lease_that_was_removed_and_made_again_is_another(desk):
    token = desk.token()
    desk.meter.remove("falcon", actor="ann")
    assert desk.state(token) is LinkState.GONE
    desk.clock.advance(minutes(1))
    desk.meter.add("falcon", "falcon-config", amount=minutes(30), owner="eve", actor="eve")
    offer, lease = desk.links.use(token)
    assert (offer.state, lease) == (LinkState.GONE, None)
    assert desk.book.get("falcon").expires_at == NOW + minutes(31)


def test_a_lease_that_is_made_again_between_look_and_use_is_left_alone(desk):
    token = desk.token()
    look = desk.links.look

    def overtaken(asked):
        offer = look(asked)
        desk.meter.remove("falcon", actor="ann")
        desk.clock.advance(minutes(1))
        desk.meter.add("falcon", "falcon-config", amount=minutes(30), owner="eve", actor="eve")
        return offer

    desk.links.look = overtaken
    offer, lease = desk.links.use(token)
    assert (offer.state, lease) == (LinkState.GONE, None)
    assert desk.book.get("falcon").expires_at == NOW + minutes(31)


def test_what_was_not_signed_here_is_nobodys(desk):
    for token in ("", "a.b", desk.token() + "x", desk.token()[:-1]):
        offer, lease = desk.links.use(token)
        assert (offer.state, lease) == (LinkState.UNKNOWN, None)


def test_limits_hold_for_links_as_for_everybody():
    desk = Desk(max_ahead=minutes(40))
    token = desk.token()
    with pytest.raises(InvalidInput, match="more than 40 minutes ahead"):
        desk.links.use(token)
    assert desk.state(token) is LinkState.OPEN


def test_budgets_hold_for_links_as_for_everybody(desk):
    token = desk.token()

    def refuse(*_arguments, **_options):
        raise BudgetExceeded("ann has 0 USD left", until=NOW + minutes(60))

    desk.meter.extend = refuse
    with pytest.raises(BudgetExceeded):
        desk.links.use(token)
    assert desk.state(token) is LinkState.OPEN


def test_without_an_address_or_a_lease_or_leave_there_is_no_link(desk):
    assert desk.links.make("flan") == ""
    desk.rule(base_url="")
    assert desk.links.make("falcon") == ""
    desk.rule(base_url="http://parkade.example/", enabled=False)
    assert desk.links.make("falcon") == ""


def test_links_that_are_switched_off_do_nothing_any_more(desk):
    token = desk.token()
    desk.rule(enabled=False)
    offer, lease = desk.links.use(token)
    assert (offer.state, lease) == (LinkState.EXPIRED, None)


def test_a_sweeps_warning_brings_a_link_that_works(desk):
    desk.sweep = desk.a_sweep(notices=desk.area.notices)
    desk.sweep.run()
    desk.hosting.settle("falcon")
    desk.clock.advance(minutes(21))
    desk.sweep.run()
    (notice,) = desk.history.read(EventQuery(kinds=("notice.",)))
    assert (notice.kind, notice.owner) == ("notice.expiry", "ann")
    _, lease = desk.links.use(notice.data["link"].removeprefix(START))
    assert lease.expires_at == NOW + minutes(60)
