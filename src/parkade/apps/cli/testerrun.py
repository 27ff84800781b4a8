"""A run of a tester from here: its clients, its picture in the terminal, what the server hears of it."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING, Any

import uvloop
from rich.console import Group
from rich.text import Text

from parkade.adapters.system.clock import SystemClock
from parkade.adapters.system.ticks import SystemTicks
from parkade.apps.cli import render
from parkade.apps.cli.session import connect
from parkade.apps.cli.sparklines import Line, Lines
from parkade.domain.errors import ParkadeError
from parkade.domain.event import written
from parkade.domain.tester import measures
from parkade.domain.tester.report import report
from parkade.services.testing.running import Running

if TYPE_CHECKING:
    from collections.abc import Sequence

    from parkade.apps.cli.render import Board
    from parkade.apps.cli.testerplan import Plan
    from parkade.domain.tester.shot import Shot

#: Seconds between two pictures in the terminal.
_PERIOD = 0.5
#: Seconds that the picture in the terminal reaches back.
_SEEN = 60
#: Samples of one request to the server, at most.
_TOGETHER = 1000


def carry_out(plan: Plan) -> dict[str, Any]:
    """Run the plan to its end, or until Ctrl-C; return the report with what was asked."""
    began = written(SystemClock().now().replace(microsecond=0))
    running = uvloop.run(_run(plan))
    found = report(running.shots, [each.id for each in plan.cases], running.seconds)
    tell_server(plan, running)
    return {
        "target": plan.title,
        "began_at": began,
        "clients": plan.course.clients,
        "interval_seconds": plan.course.interval,
        "duration_seconds": plan.course.duration,
        "dimensions": dict(plan.labels.dimensions),
        **found.written(),
    }


async def _run(plan: Plan) -> Running:
    address = plan.address()
    with render.board() as board:
        live = _Live(plan, board)
        running = Running(
            plan.cases,
            plan.course,
            lambda: plan.caller(address),
            SystemTicks(),
            heard=live.hear,
        )
        loop = asyncio.get_running_loop()

        def end() -> None:
            # Once more, and it ends as everything does.
            loop.remove_signal_handler(signal.SIGINT)
            running.call_off()

        loop.add_signal_handler(signal.SIGINT, end)
        drawing = asyncio.create_task(live.draw(running))
        try:
            await running.run()
        finally:
            loop.remove_signal_handler(signal.SIGINT)
            drawing.cancel()
            await asyncio.gather(drawing, return_exceptions=True)
            live.end(running)
    return running


class _Live:
    """What is to be seen while it goes on: the slowest answer of each second, and how many failed."""

    def __init__(self, plan: Plan, board: Board) -> None:
        self._plan = plan
        self._board = board
        self._runs = 0
        self._failed = 0
        #: By second: the slowest answer in milliseconds, and failures.
        self._slowest: dict[int, float] = {}
        self._failures: dict[int, float] = {}

    def hear(self, shot: Shot) -> None:
        """Take a call that is over."""
        second = int(shot.at)
        self._runs += 1
        self._slowest[second] = max(self._slowest.get(second, 0.0), shot.seconds * 1000)
        if not shot.ok:
            self._failed += 1
            self._failures[second] = self._failures.get(second, 0) + 1

    async def draw(self, running: Running) -> None:
        """Draw it again and again."""
        if not self._board.drawn:
            duration = self._plan.course.duration
            span = f"for {duration:g} s" if duration else "every case once"
            self._board.line(f"{self._plan.title}: {self._plan.course.clients} clients, {span}")
            return
        while True:
            self._board.draw(self._picture(running.seconds))
            await asyncio.sleep(_PERIOD)

    def end(self, running: Running) -> None:
        """Leave the last line of it: the report follows."""
        self._board.draw(self._head(running.seconds))

    def _head(self, passed: float) -> Text:
        duration = self._plan.course.duration
        of = f" of {duration:g}" if duration else ""
        head = Text(f"{self._plan.title}: {passed:.0f}{of} s, {self._runs} calls, ")
        return head.append(f"{self._failed} failed", style="bold red" if self._failed else "")

    def _picture(self, passed: float) -> Group:
        last = int(passed)
        seconds = range(max(0, last - _SEEN + 1), last + 1)
        lines = [
            Line(
                name="Slowest",
                about="a bar a second",
                statistic="Maximum",
                unit="Milliseconds",
                values=tuple(self._slowest.get(each) for each in seconds),
            ),
            Line(
                name="Failures",
                about="a bar a second",
                statistic="Sum",
                unit="Count",
                values=tuple(self._failures.get(each, 0.0) for each in seconds),
            ),
        ]
        return Group(self._head(passed), Lines(lines))


def tell_server(plan: Plan, running: Running) -> None:
    """Let the monitor have what was measured; that it will not is no failure of what was tested."""
    found = [
        {**measures.written(each), "dimensions": dict(plan.labels.dimensions)}
        for each in measures.measured(running.shots, running.seconds)
    ]
    try:
        with connect() as client:
            for part in _parts(found):
                body = {"namespace": measures.NAMESPACE, "samples": part}
                client.post("metrics", body=body)
    except ParkadeError as error:
        render.note(f"The monitor does not have these results: {error.message}")


def _parts(found: Sequence[dict[str, Any]]) -> Sequence[Sequence[dict[str, Any]]]:
    return [found[at : at + _TOGETHER] for at in range(0, len(found), _TOGETHER)]
