"""What is measured survives: control and gateway are killed under load."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from itertools import pairwise
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.clients.series import measured, of
from tests.house import PATIENCE, House, house, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.clients.series import Measured

#: Seconds of counts that may be lost with a process that is killed, and one for a slow machine.
LOST = 2.0 + 1.0


class Caller:
    """Invokes one after the other, and knows when each was answered."""

    def __init__(self, own: House) -> None:
        self.answers: list[float] = []
        self._own = own
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        url = f"{self._own.url}/endpoints/demo/invocations"
        with httpx.Client(headers={"Authorization": self._own.token}, timeout=PATIENCE) as client:
            while not self._stop.wait(0.002):
                try:
                    good = client.post(url, json={"text": "coin"}).is_success
                except httpx.TransportError:
                    continue
                if good:
                    self.answers.append(time.monotonic())

    def go_on(self, seconds: float = 2.5) -> None:
        """Return when answers were given over so many seconds more."""
        end = time.monotonic() + seconds
        wait_for(lambda: self.answers and self.answers[-1] >= end, why="the caller to go on")

    def shortly_before(self, first: float, last: float) -> int:
        """Return how many answers may be lost with a kill between these two instants."""
        return sum(first - LOST <= each <= last for each in self.answers)

    @contextmanager
    def calling(self) -> Iterator[Caller]:
        self._thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            self._thread.join()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, Measured]]:
    with house(tmp_path_factory.mktemp("measured") / "state") as own, measured(own) as series:
        own.furnish()
        own.park()
        own.park("other")
        yield own, series


class Count:
    """What was stored since it was made."""

    def __init__(self, own: House, series: Measured) -> None:
        self._own, self._series = own, series
        self._before = self.whole()

    def whole(self) -> int:
        """Return what is stored once nothing can be on its way any more."""
        # What a gateway tells later is stored later.
        others = self._series.total("Invocations", **of("other"))
        self._own.invoke("other")
        wait_for(lambda: self._series.total("Invocations", **of("other")) > others)
        return int(self._series.total("Invocations", **of("demo")))

    def since(self) -> int:
        return self.whole() - self._before


def test_without_a_death_nothing_is_lost(shared: tuple[House, Measured]) -> None:
    count = Count(*shared)
    with Caller(shared[0]).calling() as caller:
        caller.go_on(0.5)
    assert count.since() == len(caller.answers)


def test_counts_survive_the_death_of_control_but_for_two_seconds(
    shared: tuple[House, Measured],
) -> None:
    own, series = shared
    count = Count(own, series)
    with Caller(own).calling() as caller:
        caller.go_on(LOST + 1.5)
        before = time.monotonic()
        former = own.kill("control")
        after = time.monotonic()
        own.wait_reborn("control", former)
        caller.go_on(0.5)
    answered, stored = len(caller.answers), count.since()
    assert stored <= answered
    assert answered - stored <= caller.shortly_before(before, after)
    # Each process counts anew what times it has, and none of them is lost alone.
    latencies = series.whole("ModelLatency", **of("demo")).count
    assert latencies == series.total("Invocations", **of("demo"))


def test_counts_survive_the_death_of_the_gateway_but_for_its_last_second(
    shared: tuple[House, Measured],
) -> None:
    own, series = shared
    count = Count(own, series)
    with Caller(own).calling() as caller:
        caller.go_on(LOST + 1.5)
        before = time.monotonic()
        former = own.kill("gateway")
        after = time.monotonic()
        own.wait_reborn("gateway", former)
        caller.go_on(0.5)
    answered, stored = len(caller.answers), count.since()
    # The one that it was answering may have been counted and not heard of.
    assert stored <= answered + 1
    assert answered - stored <= caller.shortly_before(before, after)


@pytest.mark.semantics("metrics.zero")
def test_minutes_without_traffic_have_zeros_over_the_death_of_control(tmp_path: Path) -> None:
    with house(tmp_path / "state", "--time-scale", "60") as own, measured(own) as series:
        own.furnish()
        own.park(minutes=3000)
        own.invoke()

        def quiet() -> int:
            points = series.points("Invocations", **of("demo"))
            return sum(each.value.total == 0 for each in points)

        wait_for(lambda: quiet() >= 2, why="minutes of zero")
        own.wait_reborn("control", own.kill("control"))
        before = quiet()
        wait_for(lambda: quiet() >= before + 2, why="further minutes of zero")
        points = series.points("Invocations", **of("demo"))
        instants = [each.at for each in points]
        spans = {(later - earlier).total_seconds() for earlier, later in pairwise(instants)}
        assert spans == {60}
        assert sum(each.value.total for each in points) == 1
        per_instance = series.points("InvocationsPerInstance", **of("demo"))
        assert {each.value.total for each in per_instance} == {0, 1}
