"""What is asked of control, how often, and until when; on a loop whose time is moved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from parkade.apps.gateway.wishes import AGAIN, Wishes
from tests.apps.gateway.test_deadlines import MovedLoop

if TYPE_CHECKING:
    from collections.abc import Iterator


class Control:
    """Hears wishes."""

    def __init__(self, loop: MovedLoop) -> None:
        self.heard: list[str] = []
        self.loop = loop
        self.wishes = Wishes(loop, self._hear)

    def _hear(self, message: dict[str, Any]) -> None:
        assert message["kind"] == "wake"
        self.heard.append(message["endpoint"])


@pytest.fixture
def control() -> Iterator[Control]:
    loop = MovedLoop()
    yield Control(loop)
    loop.close()


def test_however_many_ask_control_is_asked_once(control: Control) -> None:
    for name in ("one", "two", "one", "one", "two"):
        control.wishes.ask(name)
    assert control.heard == ["one", "two"]


def test_what_is_not_answered_is_asked_for_again(control: Control) -> None:
    control.wishes.ask("one")
    control.loop.move(AGAIN * 2.5)
    assert control.heard == ["one"] * 3


def test_what_is_answered_is_not(control: Control) -> None:
    control.wishes.ask("one")
    control.wishes.answered("one")
    control.wishes.answered("another")
    control.loop.move(AGAIN * 2.5)
    control.wishes.joined()
    assert control.heard == ["one"]
    # Asleep once more, it is asked for once more.
    control.wishes.ask("one")
    assert control.heard == ["one", "one"]


def test_another_control_is_asked_at_once(control: Control) -> None:
    control.wishes.ask("one")
    control.wishes.joined()
    assert control.heard == ["one", "one"]
    control.loop.move(AGAIN * 1.5)
    assert control.heard == ["one"] * 3
