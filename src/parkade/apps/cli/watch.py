"""`parkade watch`: a live table of meters. What it shows is apart from how it goes on."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import termios
import time
import tty
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import httpx
from rich.console import Group
from rich.text import Text

from parkade.apps import settings
from parkade.apps.cli import render, views
from parkade.apps.cli.client import Client, Refused, Unreachable
from parkade.domain.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import RenderableType

PERIOD = 1.0
#: A server that does not answer at once is shown as away rather than waited for.
_TIMEOUT = httpx.Timeout(3.0)


def watch() -> None:
    """Watch all meters live; q quits.

    [dim]Example:[/dim] parkade watch
    """
    if not render.interactive():
        raise Unavailable("watch needs a terminal", hint="use: parkade ls")
    here = settings.client_settings(settings.state_paths())
    with (
        Client(here, timeout=_TIMEOUT) as client,
        _ending_orderly(),
        _quitting() as quits,
        render.picture(whole_screen=True) as draw,
    ):
        follow(client, lambda seen: draw(frame(seen)), quits=lambda: quits(PERIOD))


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was last heard of a server."""

    url: str
    endpoints: tuple[dict[str, Any], ...] = ()
    #: Why nothing is heard now; empty while all is well.
    trouble: str = ""


def follow(client: Client, show: Callable[[Seen], None], *, quits: Callable[[], bool]) -> None:
    """Look and show until `quits`, which also is the pause between two looks.

    A server that is away is asked again; raises Refused where it does not take the token.
    """
    seen = Seen(url=client.url)
    while True:
        seen = look(client, seen)
        show(seen)
        if quits():
            return


def look(client: Client, last: Seen) -> Seen:
    """Return what the server tells now, or the last of it with what is wrong."""
    try:
        return Seen(url=client.url, endpoints=tuple(client.pages("endpoints")))
    except Unreachable:
        return replace(last, trouble="unreachable, retrying")
    except Refused as error:
        if not error.passing:
            raise
        return replace(last, trouble="not ready, retrying")


def frame(seen: Seen) -> RenderableType:
    """Draw the whole screen."""
    running = sum(each["state"] == "running" for each in seen.endpoints)
    heading = Text.assemble(
        ("Parkade", "bold"),
        f"  {seen.url}  ",
        (seen.trouble, "bold red")
        if seen.trouble
        else (f"{running} of {len(seen.endpoints)} running", "dim"),
        no_wrap=True,
        overflow="ellipsis",
    )
    return Group(heading, Text(), meters(seen), Text(), Text("q quits", style="dim"))


def meters(seen: Seen) -> RenderableType:
    """Draw the meters alone."""
    if seen.endpoints:
        return views.Meters(seen.endpoints)
    return Text("Nothing is on the meter.", style="dim")


@contextlib.contextmanager
def _quitting() -> Iterator[Callable[[float], bool]]:
    """Read single keys; give a function that waits so many seconds for a q."""
    if not sys.stdin.isatty():
        yield _only_pause
        return
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    tty.setcbreak(descriptor)

    def quits(seconds: float) -> bool:
        ready, _, _ = select.select([descriptor], [], [], seconds)
        if not ready:
            return False
        keys = os.read(descriptor, 64)
        # Nothing to read any more: the terminal is gone.
        return not keys or b"q" in keys.lower()

    try:
        yield quits
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def _only_pause(seconds: float) -> bool:
    time.sleep(seconds)
    return False


@contextlib.contextmanager
def _ending_orderly() -> Iterator[None]:
    """Let SIGTERM end as Ctrl-C does, so that the terminal is given back as it was."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        # Quitting is how watching ends.
        return
    finally:
        signal.signal(signal.SIGTERM, before)
