"""Takes an update through its stages: what `domain.stages` decides is recorded, then done.

A stage's work can be repeated from its record alone: both fleets get the sizes it asks for, what is
too much leaves, gateways are told the share. So a host that was killed goes on from the record, and
whatever turns the update back (an alarm, a worker that will not start, a person) breaks off
what is under way and records where it goes on from.
"""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from dataclasses import replace
from typing import TYPE_CHECKING

from parkade.domain import rollout as strategies
from parkade.domain.alarm import State
from parkade.domain.errors import AlarmNotFound, Conflict, Unreadable
from parkade.domain.event import HOST
from parkade.domain.stages import (
    Done,
    Onward,
    Rollout,
    Stage,
    Undone,
    Waiting,
    advance,
    part,
    promoted,
    returned,
)
from parkade.runtime import groups as grouping
from parkade.runtime.lifecycle import Lifecycle, Phase

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from fractions import Fraction

    from parkade.domain.blueprint import Blueprint
    from parkade.domain.rollout import Strategy
    from parkade.runtime.fleets import Fleet
    from parkade.runtime.groups import Group
    from parkade.runtime.places import Place
    from parkade.runtime.premises import Premises


class Staged(Lifecycle):
    """A lifecycle that can be changed in stages; where no rollout is recorded, it is any other."""

    def __init__(self, premises: Premises, endpoint_name: str, *, gone: Callable[[], None]) -> None:
        super().__init__(premises, endpoint_name, gone=gone)
        #: Set when a worker answers; what waits for workers looks again.
        self._news = asyncio.Event()

    @property
    @abstractmethod
    def rollout(self) -> Rollout | None:
        """How far a change in stages has come, as recorded."""

    @abstractmethod
    def target_groups(self) -> tuple[Group, ...]:
        """Return what is to run once the change is made; nothing where none is under way."""

    @abstractmethod
    def _record_stage(self, rollout: Rollout, reason: str, actor: str = HOST) -> None:
        """Record how far the change has come."""

    def turn_back(self, reason: str, actor: str = HOST) -> None:
        """Begin to go back to what serves; a change that is going back already goes on.

        Raises Conflict where no other generation is being brought up.
        """
        if self.rising is None:
            raise Conflict(f"no update of endpoint {self.endpoint_name!r} is under way")
        if not self._returns:
            self._decide(lambda: self._turn_back(reason, actor))

    def call_off(self, reason: str) -> None:
        """Record at once that nothing is changed in stages any more; what rises leaves."""
        self._record_refusal(reason)
        if self.rising:
            self._leaving += self.rising.release()
            self.rising = None
        self._record_arrival()

    def promote(self, actor: str) -> None:
        """Give all requests to what rises as soon as it can take them, and watch nothing more.

        Raises Conflict where no other generation is being brought up, or where it is going back.
        """
        if self.rising is None:
            raise Conflict(f"no update of endpoint {self.endpoint_name!r} is under way")
        if self._returns or self._decided:
            raise Conflict(
                f"the update of endpoint {self.endpoint_name!r} is being rolled back",
                hint="update it again when it is InService",
            )
        # One without stages goes over at once as it is.
        if self.rollout is not None and not self.rollout.promoted:
            onward = promoted(self.rollout)
            self._record_stage(onward.rollout, onward.reason, actor)
            self._go(self._go_on)
            self._premises.changed()

    def heed(self, alarm_name: str) -> None:
        """Turn back because of an alarm that went off, if it is one that is watched."""
        rollout = self.rollout
        if rollout is not None and rollout.watches and alarm_name in rollout.strategy.alarms:
            self.turn_back(f"alarm {alarm_name!r} went off")

    @property
    def _returns(self) -> bool:
        return self.rollout is not None and self.rollout.stage is Stage.ROLLING_BACK

    async def _fill(self) -> None:
        if self.rollout is None or self.phase is not Phase.CHANGING:
            await super()._fill()
        else:
            await self._go_on()

    async def _go_on(self) -> None:
        """Go from stage to stage, until the change is made or given up."""
        while (rollout := self.rollout) is not None:
            self._shrink(rollout)
            await self._take_down()
            for fleet in self._fleets:
                fleet.fill()
            if rollout.stage is Stage.SHIFTING:
                await self._premises.released()
            self._news.clear()
            step = advance(
                rollout,
                self._premises.clock.now(),
                ready=self._ready(rollout),
                alarmed=self._alarmed(rollout),
            )
            match step:
                case Waiting():
                    await self._pause(step.until)
                case Onward():
                    self._record_stage(step.rollout, step.reason)
                    self._premises.changed()
                case Done():
                    self._decided = True
                    await self._conclude()
                case Undone():
                    self._decided = True
                    await super()._give_up(step.reason)

    def _shrink(self, rollout: Rollout) -> None:
        """Give both fleets the sizes that the stage asks for, and let go of what is too much."""
        self.fleet.groups = _sized(self.groups(), rollout.old_capacity)
        self._leaving += self.fleet.surplus()
        if self.rising:
            self.rising.groups = _sized(self.target_groups(), rollout.new_capacity)
            self._leaving += self.rising.surplus()
        self._premises.changed()

    def _ready(self, rollout: Rollout) -> bool:
        if rollout.stage is Stage.ROLLING_BACK:
            return self.fleet.whole
        return self.rising is not None and self.rising.whole

    def _alarmed(self, rollout: Rollout) -> str:
        """Say what is wrong with an alarm; what cannot be seen guards nothing."""
        for name in rollout.strategy.alarms:
            try:
                if self._premises.alarm(name) is State.ALARM:
                    return f"alarm {name!r} is in {State.ALARM}"
            except (AlarmNotFound, Unreadable) as error:
                return f"alarm {name!r} cannot be watched: {error.message}"
        return ""

    async def _pause(self, until: datetime | None) -> None:
        """Return when a worker answers, or at that instant."""
        waits: list[asyncio.Task[object]] = [asyncio.create_task(self._news.wait())]
        if until is not None:
            waits.append(asyncio.create_task(self._premises.clock.sleep_until(until)))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waits:
                each.cancel()

    def on_well(self) -> None:
        """Look whether all is there that was waited for."""
        super().on_well()
        self._news.set()

    def _risen(self) -> bool:
        return self.rollout is None and super()._risen()

    def _hinders(self, fleet: Fleet, place: Place) -> bool:
        if self._returns:
            return fleet is self.fleet and not place.proven
        return super()._hinders(fleet, place)

    async def _give_up(self, reason: str) -> None:
        await self._turn_back(reason)

    async def _turn_back(self, reason: str, actor: str = HOST) -> None:
        """Go back; if what has left will not come again, with what is there."""
        rollout = self.rollout
        if rollout is None:
            await super()._give_up(reason)
        elif rollout.stage is Stage.ROLLING_BACK:
            why = f"{rollout.reason}; and what had left does not all come back: {reason}"
            await super()._give_up(why)
        else:
            step = returned(rollout, self._premises.clock.now(), reason)
            if isinstance(step, Undone):
                await super()._give_up(step.reason)
            else:
                self._record_stage(step.rollout, step.reason, actor)
                self._premises.changed()
                self._decided = False
                await self._go_on()

    async def _settle(self) -> None:
        # What has left and does not come back is missed for as long as it takes.
        self.fleet.groups = self.groups()
        self.fleet.fill()
        await super()._settle()


def begun(strategy: Strategy, old: Blueprint, new: Blueprint, now: datetime) -> Rollout:
    """Return the rollout of an update that begins. Raises InvalidInput where there can be none."""
    strategies.check(strategy, old.config, new.config)
    return Rollout.begun(
        strategy,
        now,
        new=[variant.instance_count for variant in new.config.variants],
        old=[variant.instance_count for variant in old.config.variants],
    )


def more(begun: Rollout, old: tuple[Group, ...], new: tuple[Group, ...]) -> int:
    """Return how many workers an update takes at the most, beside those that there are."""
    of_new = {group.name: group for group in new}
    grown = sum(
        begun.most(group.count, of_new[group.name].count) * max(group.size, of_new[group.name].size)
        for group in old
        if group.name in of_new
    )
    shadows = {group.name for group in old} ^ of_new.keys()
    grown += sum(group.count * group.size for group in (*old, *new) if group.name in shadows)
    return max(0, grown - grouping.workers(old))


def _sized(groups: tuple[Group, ...], capacity: Fraction) -> tuple[Group, ...]:
    return tuple(replace(group, count=part(group.count, capacity)) for group in groups)
