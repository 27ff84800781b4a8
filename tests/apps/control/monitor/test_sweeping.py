"""Knowledge, maintainer and sweep together: whatever happens, what is stopped was idle for certain."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parkade.domain.endpoint import EndpointStatus
from tests.apps.control.monitor.stage import MINUTE, START, FakeGateway, Stage, subject
from tests.builders import NOW, an_endpoint
from tests.services.world import World

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

HOUR = timedelta(hours=1)
WINDOWS = MINUTE * 15


class StageClock:
    """The stage's clock of leases, which can be set back, as over a restart."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def now(self) -> datetime:
        return self._stage.now


class Whole:
    """One endpoint of two variants that is watched, without a lease; all that decides about it."""

    def __init__(self) -> None:
        assert NOW == START
        self.stage = Stage(subject("e", "blue"), subject("e", "green"))
        self.stage.read()
        self.gateways = 0
        self.gateway = self.a_gateway()
        self.world = World()
        self.world.clock = StageClock(self.stage)
        self.world.usage = self.stage.usage
        self.world.sweep = self.world.a_sweep()
        self.world.hosting.place(an_endpoint(name="e"))
        self.world.tag("e")
        #: Nothing before it is known to be without use.
        self.floor = START + MINUTE * 5

    def a_gateway(self) -> FakeGateway:
        self.gateways += 1
        gateway = FakeGateway(f"g{self.gateways}", self.stage)
        gateway.report()
        return gateway

    def use(self, variant: str) -> None:
        self.gateway.invoke(endpoint="e", name=variant)
        self.floor = self.stage.now

    def run(self, minutes: float) -> None:
        """Let time pass in steps of ten seconds, and a sweep in each."""
        for _ in range(round(minutes * 6)):
            self.stage.pass_(10)
            self.gateway.report()
            self.stage.beat()
            self.sweep()

    def sweep(self) -> None:
        self.world.sweep.run()
        if self.stopped:
            assert self.stage.now >= self.floor + WINDOWS

    @property
    def stopped(self) -> bool:
        return self.world.status("e") is not EndpointStatus.IN_SERVICE

    def jump(self, span: timedelta) -> None:
        self.gateway.report()
        self.stage.jump(span.total_seconds())
        self.floor = self.stage.now

    def kill_gateway(self) -> None:
        self.stage.collector.gone(self.gateway.id, self.stage.instant)
        self.gateway = self.a_gateway()
        self.floor = self.stage.now

    def restart(self, meanwhile: timedelta = timedelta(0)) -> None:
        """Let control be away for half a minute, and the clock be set by so much meanwhile."""
        self.gateway.report()
        self.stage.beat()
        self.stage.pass_(30)
        if meanwhile:
            self.stage.jump(meanwhile.total_seconds())
            self.floor = self.stage.now
        self.stage.begin()
        self.world.usage = self.stage.usage
        self.world.sweep = self.world.a_sweep()
        self.gateway.anew = True
        self.sweep()
        self.gateway.report()
        self.sweep()
        self.stage.read()
        self.sweep()


def test_what_nobody_uses_is_stopped_when_its_last_window_is_over() -> None:
    whole = Whole()
    whole.run(19.9)
    assert not whole.stopped
    whole.run(0.2)
    assert whole.stopped


@pytest.mark.parametrize("hours", [1, -1])
def test_an_hour_by_which_the_clock_is_set_is_no_idle_time(hours: int) -> None:
    whole = Whole()
    whole.run(19)
    whole.jump(HOUR * hours)
    whole.sweep()
    whole.run(14.9)
    assert not whole.stopped
    whole.run(62)
    assert whole.stopped


@pytest.mark.parametrize("hours", [1, -1])
def test_nor_is_an_hour_by_which_it_is_set_while_control_is_away(hours: int) -> None:
    whole = Whole()
    whole.run(19)
    whole.restart(HOUR * hours)
    whole.run(14.9)
    assert not whole.stopped


def test_while_nothing_can_be_stored_nothing_is_stopped_and_afterwards_it_is() -> None:
    whole = Whole()
    whole.run(10)
    whole.stage.trouble = "the disk is full"
    whole.run(30)
    assert not whole.stopped
    assert whole.world.kinds("e").count("endpoint.use_unknown") == 1
    whole.stage.trouble = ""
    whole.run(0.2)
    assert whole.stopped


@pytest.mark.parametrize("variant", ["blue", "green"])
def test_traffic_on_either_variant_keeps_it_through_a_restart_and_a_set_clock(variant: str) -> None:
    whole = Whole()
    for _ in range(3):
        whole.run(13)
        whole.use(variant)
        whole.run(0.2)
        whole.restart()
        whole.use(variant)
        whole.jump(HOUR)
        whole.run(1)
    assert not whole.stopped
    whole.run(30)
    assert whole.stopped


_STEPS: dict[str, Callable[[Whole], None]] = {
    "blue": lambda whole: whole.use("blue"),
    "green": lambda whole: whole.use("green"),
    "pass": lambda whole: whole.run(3),
    "long": lambda whole: whole.run(11),
    "ahead": lambda whole: whole.jump(HOUR),
    "back": lambda whole: whole.jump(-HOUR),
    "kill the gateway": Whole.kill_gateway,
    "restart": Whole.restart,
    "restart ahead": lambda whole: whole.restart(HOUR),
    "restart back": lambda whole: whole.restart(-HOUR),
    "full disk": lambda whole: setattr(whole.stage, "trouble", "the disk is full"),
    "room again": lambda whole: setattr(whole.stage, "trouble", ""),
}


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(sorted(_STEPS)), max_size=14))
def test_no_fault_has_anything_stopped_that_is_not_known_to_be_idle(steps: list[str]) -> None:
    whole = Whole()
    for step in steps:
        _STEPS[step](whole)
        if not whole.stopped:
            whole.run(0.2)
        assert not (whole.stopped and whole.stage.trouble)
        if whole.stopped:
            return
