"""Looks on while an application goes on, until it is over or nobody wants to look any more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from parkade.apps.cli import applicationviews, render, waiting
from parkade.apps.cli.deploywait import INTERRUPTED
from parkade.domain.errors import ParkadeError

if TYPE_CHECKING:
    from collections.abc import Callable

    from parkade.apps.cli.client import Client


class NotApplied(ParkadeError):
    """An application failed, or was called off."""


def until_over(
    client: Client, prefix: str, application_id: str, tell: Teller | None = None
) -> dict[str, Any]:
    """Return the application once it is over, however it ended.

    Where `tell` has told of it before, it goes on, and nothing is drawn.
    Ctrl-C ends the looking on alone: it says how to go on with that.
    """
    try:
        with render.board() as board:
            return _look_on(client, prefix, application_id, board, tell)
    except KeyboardInterrupt as interrupt:
        render.note(
            f"{prefix}: {application_id} goes on; look again: parkade status --project {prefix}; "
            f"call it off: parkade projects cancel --project {prefix}"
        )
        raise typer.Exit(INTERRUPTED) from interrupt


def _look_on(
    client: Client, prefix: str, application_id: str, board: render.Board, tell: Teller | None
) -> dict[str, Any]:
    drawn = board.drawn and tell is None
    tell = tell or Teller(board.line)
    view: dict[str, Any] = {}
    for view in waiting.looks(
        lambda: client.get("projects", prefix, "applications", application_id),
        away=lambda: board.line(waiting.AWAY),
    ):
        if drawn:
            board.draw(applicationviews.progress(view))
        else:
            tell.news(view)
    return view


def require_success(view: dict[str, Any]) -> None:
    """Raise NotApplied unless it succeeded."""
    if view["status"] == "succeeded":
        return
    told = applicationviews.status(view).plain.partition(" ")[2]
    reason = applicationviews.reason(view)
    if reason:
        told = f"{told}: {reason.rstrip('. ')}"
    again = "destroy" if view["purpose"] == "destroy" else "apply"
    raise NotApplied(
        f"{view['project']}: {told}",
        hint="what was done stays; see it with: parkade status --project "
        f"{view['project']}; then {again} again",
    )


class Teller:
    """Tells the news of an application line by line, for where nothing can be drawn."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._told: set[tuple[object, ...]] = set()

    def news(self, view: dict[str, Any]) -> None:
        """Say what of it was not said before."""
        for number, step in enumerate(view["steps"]):
            if step["started_at"] is None:
                continue
            name = applicationviews.named(step)
            for each in step["retries"]:
                self._once((number, each["at"]), f"{name}: {each['error']}; it is tried again")
            text = ": ".join(filter(None, (step["outcome"] or "begun", step["text"])))
            self._once((number, step["outcome"], step["text"]), f"{name} {text}")

    def _once(self, key: tuple[object, ...], line: str) -> None:
        if key not in self._told:
            self._told.add(key)
            self._say(" ".join(line.split()))
