"""`--wait`: looks on until an endpoint answers, or until it is clear that it will not."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from parkade.apps.cli import render, views
from parkade.apps.cli.client import Client, Refused, Unreachable
from parkade.domain.errors import ParkadeError, StartFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

#: Seconds between two looks.
PERIOD = 0.25
#: Seconds for which a server may be away before waiting is given up.
PATIENCE = 30.0
#: What is said of it meanwhile.
AWAY = "the server is away; asking again"
#: Seconds within which what is asked for begins to start; what does not was not paid for.
ANSWERED_WITHIN = 30.0


def until_running(client: Client, endpoint_name: str, *, asked: bool = False) -> dict[str, Any]:
    """Return the endpoint once it runs. Raises StartFailed with its reason if it will not.

    What was `asked` for may be asleep, or over, for a while yet.
    """
    begun = time.monotonic()
    with render.working(f"{endpoint_name}: starting") as tell:
        seen = begun
        while True:
            try:
                view: dict[str, Any] = client.get("endpoints", endpoint_name)
                seen = time.monotonic()
            except (Unreachable, Refused) as error:
                bear(error, time.monotonic() - seen)
                tell(f"{endpoint_name}: {AWAY}")
            else:
                if view["state"] == "running":
                    return view
                heard = asked and seen - begun < ANSWERED_WITHIN and _wakes(view)
                if view["state"] not in {"starting", "stopping"} and not heard:
                    raise StartFailed(
                        f"{endpoint_name} does not run: {view['reason']}", hint=view["hint"]
                    )
                tell(f"{endpoint_name}: {_progress(view)}")
            time.sleep(PERIOD)


def _wakes(view: dict[str, Any]) -> bool:
    return view["lease"] is not None and bool(view["lease"]["wakes"])


def _progress(view: dict[str, Any]) -> str:
    told = f"{view['reason']}{_expected(view)}"
    if not view["wanted"]:
        return told
    return f"{told}, {view['healthy']} of {view['wanted']} instances answer"


def _expected(view: dict[str, Any]) -> str:
    """Say when it is expected; where each change is a line of its own, nothing counts down."""
    if render.draws_progress() or not view["expected_at"]:
        return views.still(view)
    return f", expected at {views.instant(view['expected_at'])}"


def looks(
    ask: Callable[[], dict[str, Any]], *, away: Callable[[], None] = lambda: None
) -> Iterator[dict[str, Any]]:
    """Ask again and again, and give each answer, the last once it is no longer running.

    A server that is away for a moment is waited for; `away` is called each time that it is.
    """
    seen = time.monotonic()
    while True:
        try:
            view = ask()
        except (Unreachable, Refused) as error:
            bear(error, time.monotonic() - seen)
            away()
        else:
            seen = time.monotonic()
            yield view
            if view["status"] != "running":
                return
        time.sleep(PERIOD)


def bear(error: ParkadeError, away: float) -> None:
    """Raise the error unless the server is only away for a moment; `away` is since when, in seconds."""
    passing = isinstance(error, Unreachable) or (isinstance(error, Refused) and error.passing)
    if not passing or away > PATIENCE:
        raise error
