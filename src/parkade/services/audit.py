"""The audit: what is left over, missing, or paid for by nobody; and the putting right of what is safe.

Nothing that runs for somebody is stopped here, and nothing that is in use is deleted. What was
found is found again right before it is put right: what is gone by then is passed over.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from parkade.domain import audit
from parkade.domain.audit.finding import Finding, Kind, Mending
from parkade.domain.errors import ParkadeError
from parkade.domain.event import Event

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

    from parkade.domain.audit.survey import Survey
    from parkade.ports.clock import Clock
    from parkade.ports.events import History
    from parkade.ports.inventory import TagStore
    from parkade.ports.scalingbook import ScalingBook
    from parkade.ports.watches import WatchStore
    from parkade.services.alarms import Alarms
    from parkade.services.surveying import Surveyor

logger = logging.getLogger(__name__)


class Shelves(Protocol):
    """Deletes models and endpoint configs; refuses with InUse what an endpoint has."""

    def delete_config(self, name: str, actor: str) -> None:
        """Delete the endpoint config. Raises ConfigNotFound, InUse."""
        ...

    def delete_model(self, name: str, actor: str) -> None:
        """Delete the model. Raises ModelNotFound."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What findings are put right with."""

    clock: Clock
    history: History
    catalog: TagStore
    watches: WatchStore
    alarms: Alarms
    scaling: ScalingBook
    shelves: Shelves
    #: Forgets what is asked for about a target model of an endpoint, for an actor.
    forget_target: Callable[[str, str, str], None]
    #: Ends the processes of workers, by the ids of instances that are not recorded.
    end_workers: Callable[[Collection[str]], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mended:
    """What became of a finding that was to be put right."""

    id: str
    done: bool
    #: What was done, or why nothing was.
    text: str


class Audit:
    """Finds, and puts right on request."""

    def __init__(self, surveyor: Surveyor, tools: Tools) -> None:
        self._surveyor = surveyor
        self._tools = tools
        self._menders: Mapping[Kind, Callable[[Finding, Survey, str], Awaitable[None]]] = {
            Kind.STRAY_WORKER: self._end_worker,
            Kind.ORPHANED_ALARM: self._remove_alarm,
            Kind.ALARM_WITHOUT_POLICY: self._remove_own_alarm,
            Kind.ORPHANED_SCALING: self._deregister,
            Kind.ORPHANED_TAGS: self._forget_tags,
            Kind.ORPHANED_WATCH: self._forget_watch,
            Kind.ORPHANED_TARGET: self._forget_target,
            Kind.UNUSED_CONFIG: self._delete_config,
            Kind.UNUSED_MODEL: self._delete_model,
        }

    async def findings(self) -> tuple[Finding, ...]:
        """Return all findings as of now."""
        return audit.findings(await self._surveyor.survey())

    async def fix(self, ids: Collection[str], *, actor: str) -> tuple[Mended, ...]:
        """Put right what has these ids and is still found; tell what became of each.

        What only a person can put right is refused, one by one: nothing else is kept from it.
        """
        wanted = list(dict.fromkeys(ids))
        mended: dict[str, Mended] = {}
        # Kind by kind, each from a survey of its own: a model is used until its config is gone.
        for kind in Kind:
            of = [each for each in wanted if each.partition(":")[0] == kind]
            mended |= await self._fix_all(of, actor) if of else {}
        return tuple(mended.get(each, _gone(each)) for each in wanted)

    async def _fix_all(self, ids: Sequence[str], actor: str) -> dict[str, Mended]:
        survey = await self._surveyor.survey()
        found = {each.id: each for each in audit.findings(survey)}
        return {
            each: await self._fix(found[each], survey, actor) if each in found else _gone(each)
            for each in ids
        }

    async def _fix(self, found: Finding, survey: Survey, actor: str) -> Mended:
        if found.mending is Mending.BY_HAND:
            text = f"it is for a person to mend: {found.hint}"
            return Mended(id=found.id, done=False, text=text)
        try:
            await self._menders[found.kind](found, survey, actor)
        except ParkadeError as error:
            logger.warning("%s could not be put right: %s", found.id, error.message)
            return Mended(id=found.id, done=False, text=f"it failed: {error.message}")
        return Mended(id=found.id, done=True, text=found.mends)

    async def _end_worker(self, finding: Finding, survey: Survey, actor: str) -> None:
        del survey
        await self._tools.end_workers({finding.name})
        self._tell(finding, actor)

    async def _remove_alarm(self, finding: Finding, survey: Survey, actor: str) -> None:
        del survey
        self._tools.alarms.remove([finding.name], actor)

    async def _remove_own_alarm(self, finding: Finding, survey: Survey, actor: str) -> None:
        del survey
        self._tools.alarms.remove([finding.name], actor, own=True)

    async def _deregister(self, finding: Finding, survey: Survey, actor: str) -> None:
        self._tools.scaling.deregister(survey.scaled[finding.name].resource, actor)

    async def _forget_tags(self, finding: Finding, survey: Survey, actor: str) -> None:
        del survey
        self._tools.catalog.put_tags("endpoint", finding.name, {})
        self._tell(finding, actor)

    async def _forget_watch(self, finding: Finding, survey: Survey, actor: str) -> None:
        self._tools.watches.remove(survey.watches[finding.name], self._event(finding, actor))

    async def _forget_target(self, finding: Finding, survey: Survey, actor: str) -> None:
        del survey
        endpoint_name, _, target = finding.name.partition("/")
        self._tools.forget_target(endpoint_name, target, actor)

    async def _delete_config(self, finding: Finding, survey: Survey, actor: str) -> None:
        del survey
        self._tools.shelves.delete_config(finding.name, actor)

    async def _delete_model(self, finding: Finding, survey: Survey, actor: str) -> None:
        del survey
        self._tools.shelves.delete_model(finding.name, actor)

    def _tell(self, finding: Finding, actor: str) -> None:
        self._tools.history.append(self._event(finding, actor))

    def _event(self, finding: Finding, actor: str) -> Event:
        return Event(
            at=self._tools.clock.now(),
            kind="audit.fixed",
            actor=actor,
            reason=f"{finding.text}: {finding.mends}",
            data={"id": finding.id},
        )


def _gone(id_: str) -> Mended:
    return Mended(id=id_, done=False, text="it is not found any more")
