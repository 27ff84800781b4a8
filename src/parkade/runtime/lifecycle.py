"""How what serves comes, changes and goes: the part that endpoints and components have in common.

There is a fleet that serves, beside it for a while one that rises to take its place, and instances
that leave. Exactly one change is under way at a time; each can be repeated from its record, so that
a host that comes back goes on with it:

    to come       fill the fleet; once all of it answers it serves, or it is taken down as failed
    to change     bring up what is to be more, beside what serves; once that answers, record it as
                  what is run, send requests there, and let the rest leave; if it will not answer,
                  let that leave, and go on as before
    to go         let everything leave
"""

from __future__ import annotations

from abc import abstractmethod
from enum import Enum, auto
from typing import TYPE_CHECKING

from parkade.runtime.keeping import Keeper

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

    from parkade.domain.catalog import Container
    from parkade.runtime.fleets import Fleet
    from parkade.runtime.groups import Group
    from parkade.runtime.places import Failure, Found, Place
    from parkade.runtime.premises import Premises

#: SageMaker's limit of FailureReason.
FAILURE_REASON_LIMIT = 1024
#: So much of a longer one is its beginning; the rest is its end, where a traceback says what is wrong.
_BEGINNING = 300
_GAP = " [...] "


class Phase(Enum):
    """What a status means for the workers."""

    COMING = auto()
    SERVING = auto()
    CHANGING = auto()
    LEAVING = auto()
    #: Nothing runs, and nothing is to.
    OVER = auto()


class Lifecycle(Keeper):
    """Brings fleets up, exchanges them, takes them down; subclasses keep the record of it."""

    def __init__(self, premises: Premises, endpoint_name: str, *, gone: Callable[[], None]) -> None:
        super().__init__(premises, endpoint_name, gone=gone)
        #: Whether it is clear how what is under way ends.
        self._decided = False

    @property
    @abstractmethod
    def phase(self) -> Phase:
        """What is to happen to the workers, by the recorded status."""

    @property
    @abstractmethod
    def changes(self) -> bool:
        """Whether something else is to be run, and that is neither recorded as run nor given up."""

    @abstractmethod
    def groups(self) -> tuple[Group, ...]:
        """Return what is to run when no change is under way."""

    @abstractmethod
    def _record_arrival(self) -> None:
        """Record that it serves, after it was coming or changing."""

    @abstractmethod
    def _record_change(self) -> None:
        """Record the target as what is run."""

    @abstractmethod
    def _record_refusal(self, reason: str) -> None:
        """Record that the target is given up."""

    @abstractmethod
    def _record_fall(self, reason: str) -> None:
        """Record, before it is taken down, that what served cannot be brought back."""

    @abstractmethod
    def _record_failure(self, reason: str) -> None:
        """Record that it has failed."""

    @property
    def live(self) -> bool:
        """Whether it is to run."""
        return self.phase in {Phase.COMING, Phase.SERVING, Phase.CHANGING}

    def containers(self) -> Iterator[tuple[str, Container]]:
        """Return what its fleets run, with the names under which they hold data."""
        for fleet in self._fleets:
            for group in fleet.groups:
                for number in range(group.size):
                    yield fleet.data_user, group.container(number)

    def begin(self, found: Sequence[Found] = ()) -> None:
        """Go on from the record, with the workers that were found running."""
        served = self.phase in {Phase.SERVING, Phase.CHANGING}
        for fleet in self._fleets if self.live else ():
            own = [each for each in found if each.record.generation == fleet.generation]
            found = fleet.adopt(own, served=served) + [each for each in found if each not in own]
        self._leaving = self.fleet.strays(found)
        self._proceed()

    def _proceed(self) -> None:
        """Set out on what is to be done, as recorded."""
        if self.phase is Phase.LEAVING:
            self._decide(self._remove)
        elif self.live:
            self._decided = False
            self._go(self._fill)

    async def _fill(self) -> None:
        for fleet in self._fleets:
            fleet.fill()
        if self.phase is Phase.CHANGING and not self.changes:
            self._decided = True
            await self._settle()
        else:
            self.on_well()
            await self._take_down()

    def on_well(self) -> None:
        """Look whether all is there that was waited for."""
        if not self._decided:
            if self.phase is Phase.COMING and self._whole():
                self._decide(self._arrive)
            elif self.phase is Phase.CHANGING and self.changes and self._risen():
                self._decide(self._conclude)
        self._premises.changed()

    def _whole(self) -> bool:
        """Tell whether all of it is there that was to come."""
        return self.fleet.whole

    def _risen(self) -> bool:
        if self.rising:
            return self.rising.whole
        return all(
            sum(each.proven for each in self.fleet.of(group.name)) >= group.count
            for group in self._growing()
        )

    def _growing(self) -> list[Group]:
        """Return those of the serving groups that are to have more instances than they had."""
        former = {group.name: group.count for group in self.groups()}
        return [group for group in self.fleet.groups if group.count > former.get(group.name, 0)]

    def on_failure(self, fleet: Fleet, place: Place, failure: Failure) -> None:
        """Look whether what is under way has failed by this."""
        exits = self._premises.rules().patience.exits
        if not self._decided and (failure.decisive or place.failures >= exits):
            times = "" if failure.decisive else f"{exits} times in a row, "
            noun = "inference component" if place.record.component_name else "variant"
            reason = f"{noun} {place.group_name}: {times}{failure.reason}"
            if self._fails(fleet):
                self._decide(lambda: self._fail(shortened(reason)))
            elif self._hinders(fleet, place):
                self._decide(lambda: self._give_up(reason))
        self._premises.changed()

    def _fails(self, fleet: Fleet) -> bool:
        """Tell whether nothing is left to wait for; what has served is kept up for ever."""
        if self.phase is Phase.SERVING:
            return fleet is self.fleet and not any(each.proven for each in fleet.instances)
        return self.phase is Phase.COMING

    def _hinders(self, fleet: Fleet, place: Place) -> bool:
        """Tell whether a change cannot be made for want of this worker."""
        if not self.changes:
            return False
        if self.rising:
            return fleet is self.rising
        growing = {group.name for group in self._growing()}
        return not place.proven and place.group_name in growing

    async def _arrive(self) -> None:
        self._record_arrival()
        self._decided = False
        self._premises.changed()
        await self._take_down()

    async def _conclude(self) -> None:
        """Make the change that has risen: from one moment to the next, then let the rest leave."""
        if self.changes:
            self._record_change()
            if self.rising:
                self._leaving += self.fleet.release()
                self.fleet, self.rising = self.rising, None
        await self._settle()

    async def _give_up(self, reason: str) -> None:
        if self.changes:
            self._record_refusal(reason)
            if self.rising:
                self._leaving += self.rising.release()
                self.rising = None
        await self._settle()

    async def _settle(self) -> None:
        """Let leave what is not wanted any more; then no change is under way."""
        self.fleet.groups = self.groups()
        self._leaving += self.fleet.surplus()
        await self._take_down()
        self._record_arrival()
        self._decided = False
        self._premises.changed()

    async def _fail(self, reason: str) -> None:
        if self.phase is Phase.SERVING:
            self._record_fall(reason)
        await self.take_down_all()
        self._record_failure(reason)
        self._premises.changed()

    async def close(self) -> None:
        """Stop everything; the record stays, so that the next host goes on from it."""
        self._decided = True
        await super().close()

    async def abandon(self) -> None:
        """Look after it no longer and leave its workers running."""
        self._decided = True
        await super().abandon()

    def _decide(self, way: Callable[[], Awaitable[None]]) -> None:
        """Go the way that ends what is under way."""
        self._decided = True
        self._go(way)


def shortened(reason: str) -> str:
    """Return the reason as long as SageMaker allows: where it is longer, without its middle."""
    if len(reason) <= FAILURE_REASON_LIMIT:
        return reason
    end = FAILURE_REASON_LIMIT - _BEGINNING - len(_GAP)
    return f"{reason[:_BEGINNING]}{_GAP}{reason[-end:]}"
