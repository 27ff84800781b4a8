"""Looks on while a deployment goes on, until it is over or nobody wants to look any more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from parkade.apps.cli import deployviews, render, waiting
from parkade.domain.errors import StartFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from parkade.apps.cli.client import Client

_ENDED = {"failed": "failed", "cancelled": "was cancelled"}
#: What a shell says of a program that Ctrl-C ended.
INTERRUPTED = 130


def until_over(client: Client, deployment_id: str) -> dict[str, Any]:
    """Return the deployment once it is over, however it ended.

    Ctrl-C ends the looking on alone: it says how to go on with that.
    """
    try:
        with render.board() as board:
            return _look_on(client, deployment_id, board)
    except KeyboardInterrupt as interrupt:
        render.note(
            f"deployment {deployment_id} goes on; look on: parkade deployments show "
            f"{deployment_id} --wait; call it off: parkade deployments cancel {deployment_id}"
        )
        raise typer.Exit(INTERRUPTED) from interrupt


def _look_on(client: Client, deployment_id: str, board: render.Board) -> dict[str, Any]:
    tell = Teller(board.line)
    view: dict[str, Any] = {}
    for view in waiting.looks(
        lambda: client.get("deployments", deployment_id), away=lambda: board.line(waiting.AWAY)
    ):
        if board.drawn:
            board.draw(deployviews.progress(view))
        else:
            tell.news(view)
    return view


def require_success(view: dict[str, Any]) -> None:
    """Raise StartFailed unless the deployment succeeded."""
    if view["status"] == "succeeded":
        return
    reason = f": {view['reason']}" if view["reason"] else ""
    raise StartFailed(
        f"deployment {view['id']} of {view['endpoint_name']} {_ENDED[view['status']]}{reason}",
        hint=f"see: parkade deployments show {view['id']}",
    )


class Teller:
    """Tells the news of a deployment line by line, for where nothing can be drawn."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._told: set[tuple[object, ...]] = set()

    def news(self, view: dict[str, Any]) -> None:
        """Say what of it was not said before."""
        for number, step in enumerate(view["steps"]):
            name = deployviews.step_name(step["kind"])
            text = ": ".join(filter(None, (step["outcome"] or "begun", step["text"])))
            state = ((number, step["outcome"], step["text"]), f"{name} {text}")
            passed = [
                ((number, each["at"]), f"{name}: {each['error']}; it is tried again")
                for each in step["retries"]
            ]
            for key, line in [state, *passed] if step["outcome"] is None else [*passed, state]:
                self._once(key, line)

    def _once(self, key: tuple[object, ...], line: str) -> None:
        if key not in self._told:
            self._told.add(key)
            self._say(" ".join(line.split()))
