"""The only module that prints.

Results go to standard output, progress and errors to standard error. Colours and moving parts
are for terminals alone; in a pipe a table is as wide as what it shows.
"""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.live import Live
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rich.console import RenderableType

    from parkade.domain.cases import Outcome
    from parkade.domain.errors import ParkadeError

#: Nobody reads a pipe by its width; what cuts lines there is not ours.
_PIPE_WIDTH = 1000


def interactive() -> bool:
    """Tell whether standard output is a terminal."""
    return sys.stdout.isatty()


def draws_progress() -> bool:
    """Tell whether progress is drawn in its place, rather than said line by line."""
    return _err().is_terminal


def show(renderable: RenderableType) -> None:
    """Print a result, at once."""
    _out().print(renderable, highlight=False)
    sys.stdout.flush()


def aside(renderable: RenderableType) -> None:
    """Print something beside the result: to standard error."""
    _err().print(renderable, highlight=False)


def say(text: str) -> None:
    """Print a line of plain text as a result."""
    _out().print(Text(text), soft_wrap=True)


def note(text: str) -> None:
    """Print a line beside the result: to standard error."""
    _err().print(Text(text, style="dim"), soft_wrap=True)


def case(outcome: Outcome) -> None:
    """Print how a case of a model went."""
    label = f"[{outcome.case.id}]:"
    line(f"{label} result==>{outcome.text}")
    if not outcome.passed:
        expected = json.dumps(outcome.case.expected)
        show(Text(f"{label} expected==>{expected}", style="bold red"))
        show(Text(f"{label} differs==>{outcome}", style="red"))
    line(f"{label} completed==>{outcome.case.sentence}")


def problem(error: ParkadeError) -> None:
    """Print an error on one line: what is wrong, and what to do."""
    told = f"{error.message.rstrip('. ')}; {error.hint}" if error.hint else error.message
    line = Text.assemble(("error: ", "bold red"), " ".join(told.split()))
    _err().print(line, soft_wrap=True)


def problems(lines: Sequence[str]) -> None:
    """Print errors that were found together, one on each line."""
    for each in lines:
        told = Text.assemble(("error: ", "bold red"), " ".join(each.split()))
        _err().print(told, soft_wrap=True)


def machine(value: Any) -> None:
    """Print JSON."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def machine_line(value: Any) -> None:
    """Print JSON on one line, at once."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def line(text: str) -> None:
    """Print a line exactly as it is, at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def raw(body: bytes) -> None:
    """Print bytes exactly as they are; on a terminal, what follows begins on a new line."""
    sys.stdout.flush()
    sys.stdout.buffer.write(body)
    if interactive() and not body.endswith(b"\n"):
        sys.stdout.buffer.write(b"\n")
    sys.stdout.buffer.flush()


def piece(body: bytes) -> None:
    """Print a piece of a body that goes on, exactly as it is."""
    sys.stdout.buffer.write(body)
    sys.stdout.buffer.flush()


@contextmanager
def working(text: str) -> Iterator[Callable[[str], None]]:
    """Show what is being done until it is done; give a function that changes the text."""
    err = _err()
    if not err.is_terminal:
        last = text
        note(text)

        def tell(following: str) -> None:
            nonlocal last
            if following != last:
                last = following
                note(following)

        yield tell
        return
    with err.status(Text(text)) as status:
        yield lambda following: status.update(Text(following))


@contextmanager
def transfer(text: str, size: int | None) -> Iterator[Callable[[int], None]]:
    """Show the progress of a transfer; give a function that counts bytes."""
    err = _err()
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
    )
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
        task = progress.add_task(text, total=size)
        yield lambda count: progress.advance(task, count)


@contextmanager
def picture(*, whole_screen: bool) -> Iterator[Callable[[RenderableType], None]]:
    """Hold a part of the terminal, or all of it; give a function that draws it anew."""
    with Live(console=_out(), screen=whole_screen, auto_refresh=False) as live:
        yield lambda renderable: live.update(renderable, refresh=True)


class Board:
    """A part of the terminal beside the result, which is drawn anew as things go on.

    Where there is no terminal nothing is drawn: what is to be read there is said line by line.
    """

    def __init__(self, live: Live | None) -> None:
        self._live = live
        self._last = ""

    @property
    def drawn(self) -> bool:
        """Whether there is a terminal to draw on."""
        return self._live is not None

    def draw(self, renderable: RenderableType) -> None:
        """Draw it in the place of what was drawn before."""
        if self._live is not None:
            self._last = ""
            self._live.update(renderable, refresh=True)

    def line(self, text: str) -> None:
        """Say a line beside it; the same line again is not said twice in a row."""
        if text == self._last:
            return
        self._last = text
        if self._live is None:
            note(text)
        else:
            self._live.console.print(Text(text, style="dim"), soft_wrap=True)


@contextmanager
def board() -> Iterator[Board]:
    """Hold a part of the terminal beside the result; what was drawn last stays there."""
    err = _err()
    if not err.is_terminal:
        yield Board(None)
        return
    with Live(console=err, auto_refresh=False) as live:
        yield Board(live)


def _out() -> Console:
    return Console(width=None if interactive() else _PIPE_WIDTH)


def _err() -> Console:
    return Console(stderr=True)
