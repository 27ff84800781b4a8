"""Why target models are not loaded; contents that fail are not to be tried over and over."""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING

from parkade.domain.errors import ObjectNotFound, StartFailed, Unavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from parkade.domain.errors import ParkadeError
    from parkade.runtime.shelves import Place

#: Seconds for which an archive or a script that could not be loaded is not tried again.
LASTS = 5.0
#: The same where the container went away over it, and with it all that it had loaded.
FATAL_LASTS = 60.0


@dataclass(frozen=True, slots=True)
class _Refused:
    """What the objects folder had, and until when its refusal stands, in monotonic seconds."""

    etag: str
    until: float
    error: Callable[[], ParkadeError]


class Refusals:
    """What was refused, and why; by address and entity tag, so that a new content is tried."""

    def __init__(self) -> None:
        self._refused: dict[str, _Refused] = {}
        #: Contents over which a container went away once: it may have been killed just then.
        self._suspected: dict[str, str] = {}

    def refuse(
        self, address: str, etag: str, error: Callable[[], ParkadeError], *, lasts: float = LASTS
    ) -> ParkadeError:
        """Remember for a while that this content cannot be loaded; return the error to raise."""
        self._refused[address] = _Refused(etag, monotonic() + lasts, error)
        return error()

    async def require_untried(self, address: str, etag: Callable[[str], Awaitable[str]]) -> None:
        """Raise what was raised before, where that is a moment ago and the object is the same."""
        refused = self._refused.get(address)
        if refused is None:
            return
        # It stands while its object is looked at, for whoever else asks meanwhile.
        if monotonic() < refused.until and await etag(address) == refused.etag:
            raise refused.error()
        if self._refused.get(address) is refused:
            del self._refused[address]

    def went_away(self, address: str, etag: str, target: str, place: Place) -> ParkadeError | None:
        """Know that a container went away over this content; return an error the second time."""
        if self._suspected.pop(address, None) != etag:
            self._suspected[address] = etag
            return None
        text = f"model {target!r} cannot be loaded: the container went away over it, twice"
        hint = f"its script may end the process; see: parkade logs {place.endpoint_name}"
        return self.refuse(address, etag, lambda: StartFailed(text, hint=hint), lasts=FATAL_LASTS)

    def clear(self, address: str) -> None:
        """Know that the content was loaded."""
        self._suspected.pop(address, None)


def no_object(target: str, address: str) -> ObjectNotFound:
    """Say that there is no such target model, naming the object."""
    bucket, _, key = address.removeprefix("s3://").partition("/")
    return ObjectNotFound(
        f"TargetModel {target!r}: there is no object with key {key!r} in bucket {bucket!r}",
        hint="put the object there, or name another target model",
    )


def no_room(target: str) -> Unavailable:
    """Say that no instance can take one more."""
    return Unavailable(
        f"there is no memory for {target!r}, for all models that are loaded are pinned",
        hint="unpin a model, raise multi_model.memory_bytes in server.yaml, or add instances",
    )
