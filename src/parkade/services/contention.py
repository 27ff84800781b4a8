"""Compare-and-set that lost its race is decided again.

Each lost race is another writer's success, so that a hundred attempts outlast a crowd; the short
random waits only keep the crowd from moving in step.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import tenacity

from parkade.domain.errors import VersionConflict

if TYPE_CHECKING:
    from collections.abc import Callable

_Asked = ParamSpec("_Asked")
_Decided = TypeVar("_Decided")

_ATTEMPTS = tenacity.Retrying(
    retry=tenacity.retry_if_exception_type(VersionConflict),
    stop=tenacity.stop_after_attempt(100),
    wait=tenacity.wait_random(0, 0.01),
    reraise=True,
)


def contended(decide: Callable[_Asked, _Decided]) -> Callable[_Asked, _Decided]:
    """Have the function called again, for as long as it ends with VersionConflict.

    By any number of threads at once: tenacity's own decorator keeps what it counts in one place for
    all calls, where one that begins takes it from under another that goes on.
    """

    @functools.wraps(decide)
    def decided(*asked: _Asked.args, **named: _Asked.kwargs) -> _Decided:
        return _ATTEMPTS.copy()(decide, *asked, **named)

    return decided
