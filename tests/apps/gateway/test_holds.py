"""What is kept for one request that is held, on a loop whose time is moved."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from parkade.apps import link
from parkade.apps.gateway import answers
from parkade.apps.gateway.holding import Hold, Holding
from tests.apps.gateway.test_deadlines import MovedLoop

if TYPE_CHECKING:
    from collections.abc import Iterator


class Held:
    """Notes what it is told."""

    def __init__(self, loop: MovedLoop) -> None:
        self.loop = loop
        self.overdue_at = 0.0
        self.answer: answers.Answer | None = None

    def overdue(self) -> None:
        self.overdue_at = self.loop.time()

    def refuse(self, answer: answers.Answer) -> None:
        self.answer = answer


@pytest.fixture
def loop() -> Iterator[MovedLoop]:
    loop = MovedLoop()
    yield loop
    loop.close()


def test_one_that_is_held_again_has_what_is_left_of_its_time(loop: MovedLoop) -> None:
    request, begun = Held(loop), loop.time()
    hold = Hold(Holding(loop), request, 0)
    assert hold.begin(2, 0)
    loop.move(1.5)
    hold.end()
    loop.move(0.1)
    assert not request.overdue_at
    assert hold.begin(2, 0)
    loop.move(1)
    assert request.overdue_at == pytest.approx(begun + 2, abs=0.01)
    hold.end()
    # Its time is over: it is not held once more.
    assert not hold.begin(2, 0)


def test_places_and_room_are_counted_until_they_are_given_back(loop: MovedLoop) -> None:
    holding = Holding(loop)
    holding.apply(link.Limits(hold_max=1, hold_bytes=10, hold_seconds=5))
    assert holding.bounded(3) == 3
    assert holding.bounded(60) == 5
    hold = Hold(holding, Held(loop), 8)
    assert holding.lack_of_room(2) is None
    assert holding.lack_of_room(3) is not None
    assert holding.lack_of_places() is None
    assert hold.begin(5, 6)
    assert holding.lack_of_room(4) is None
    assert holding.lack_of_room(5) is not None
    assert holding.lack_of_places() is not None
    hold.end()
    hold.end()
    assert holding.lack_of_room(10) is None
    assert holding.lack_of_places() is None


def test_at_the_end_all_are_answered_and_nobody_is_held_any_more(loop: MovedLoop) -> None:
    holding, request = Holding(loop), Held(loop)
    hold = Hold(holding, request, 0)
    hold.begin(5, 0)
    holding.end()
    assert request.answer is answers.ENDS
    assert holding.lack_of_places() is answers.ENDS
    hold.end()
