"""`leasing`: the lease of an endpoint that a stack describes, as a resource of CloudFormation.

Time is bought once, when the resource is made, or first wants its endpoint up. Deploying again changes
the endpoint config and what is settled about the lease, and buys nothing; an endpoint that runs is
updated. When the resource goes, the lease is ended, and its endpoint deleted.

A lease that was there before the resource was made is taken care of by it, and was not bought by it:
it stays when the resource goes, as it has to where a stack that cannot be made is rolled back.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from parkade.apps.lambdas.customresource import (
    DELETE,
    Asked,
    HalfMadeError,
    Made,
    answered,
    resource,
)
from parkade.apps.lambdas.sweeping import Lateness
from parkade.domain.endpoint import EndpointStatus
from parkade.domain.errors import EndpointBusy, InvalidInput, LeaseNotFound
from parkade.domain.project import endpoint as endpoints
from parkade.domain.project import terms as settling
from parkade.domain.project.part import Kind, Part
from parkade.domain.rollout import Strategy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from parkade.apps.lambdas.start import Call
    from parkade.apps.settings import FunctionSettings
    from parkade.domain.idle import IdleRules
    from parkade.domain.lease import Lease
    from parkade.domain.project.endpoint import Wanted
    from parkade.ports.provisioner import Provisioner
    from parkade.services.meter import Meter
    from parkade.services.terms import TermsBook

logger = logging.getLogger(__name__)

ACTOR = "stack"
#: What the id of a resource ends in whose lease was there before it.
_HELD = "-held-before"
#: Between two looks at an endpoint that cannot be deleted yet.
_PAUSE = timedelta(seconds=10)
_RESERVE = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What leasing works with."""

    meter: Meter
    terms: TermsBook
    provisioner: Provisioner
    #: The ladder of endpoints that have none of their own.
    rules: Callable[[], IdleRules]
    #: The project's prefix, which owns what names no owner.
    project: str
    pause: Callable[[timedelta], None]


class Leasing:
    """Answers CloudFormation."""

    def __init__(self, means: Means) -> None:
        self._means = means

    def __call__(self, event: Mapping[str, Any], call: Call) -> dict[str, Any]:
        """Make, change or end a lease."""

        def act(asked: Asked) -> Made:
            if asked.request == DELETE:
                self._leave(asked, Lateness(call.left, _RESERVE))
                return Made(id=asked.id)
            return Made(id=self._settle(asked.text("EndpointName"), asked))

        return answered(event, act)

    def _settle(self, name: str, asked: Asked) -> str:
        """Have it leased as the resource says; return what the resource is known by."""
        means, wanted = self._means, _wanted(name, asked)
        config_name = asked.text("EndpointConfigName")
        held = self._held(name)
        if held is None and wanted.deploy:
            means.meter.let(
                name,
                config_name,
                amount=wanted.order.amount,
                owner=wanted.order.owner or means.project,
                actor=ACTOR,
                # A request that Lambda makes twice buys once; a stack that is made again, again.
                key=asked.request_id,
            )
        elif held is not None:
            means.meter.reconfigure(name, config_name, actor=ACTOR)
            self._update(name, config_name)
        own = asked.id if asked.id in {name, name + _HELD} else name + (_HELD if held else "")
        if self._held(name) is not None:
            try:
                means.terms.change(
                    name, ACTOR, lambda terms: settling.settle(terms, wanted.terms, means.rules())
                )
            except Exception as error:
                if asked.id == own:
                    raise
                raise HalfMadeError(own) from error  # what was bought is to go again
        return own

    def _leave(self, asked: Asked, late: Lateness) -> None:
        """End what the resource bought, and nothing else."""
        if asked.unmade or asked.id.endswith(_HELD):
            logger.info("%s was not bought by the stack, and stays", asked.id)
            return
        self._end(asked.text("EndpointName"), late)

    def _update(self, name: str, config_name: str) -> None:
        """Have an endpoint that runs another config run this one; others have it at their start."""
        present = self._means.provisioner.look(name)
        if present is None or present.observed.status is not EndpointStatus.IN_SERVICE:
            return
        if present.observed.config_name != config_name:
            self._means.provisioner.update(
                name, config_name, ACTOR, strategy=Strategy(), keeps_counts=True
            )

    def _end(self, name: str, late: Lateness) -> None:
        """Remove the lease with its endpoint. Raises EndpointBusy where that took too long."""
        while True:
            try:
                self._means.meter.remove(name, actor=ACTOR)
            except LeaseNotFound:
                return
            except EndpointBusy:
                if late():
                    raise  # the lease is over, and the sweep deletes it as soon as that can be
                self._means.pause(_PAUSE)
            else:
                return

    def _held(self, name: str) -> Lease | None:
        try:
            return self._means.meter.get(name)
        except LeaseNotFound:
            return None


def _wanted(name: str, asked: Asked) -> Wanted:
    part = Part(kind=Kind.ENDPOINT, key=name, name=name, content=_content(asked, "properties"))
    former = _content(asked, "former") if asked.former else None
    return endpoints.read(part, former)


def _content(asked: Asked, which: str) -> dict[str, Any]:
    text = getattr(asked, which).get("Content", "{}")
    try:
        content = json.loads(text)
    except (TypeError, ValueError) as error:
        raise InvalidInput(
            f"the resource's Content is not JSON: {error}", field="Content"
        ) from error
    if not isinstance(content, dict):
        raise InvalidInput("the resource's Content is no JSON object", field="Content")
    return content


def _build(settings: FunctionSettings) -> Leasing:
    from parkade.apps.lambdas.meterwork import Ground, Work, pause  # noqa: PLC0415  at the first call

    work = Work(Ground.of(settings))
    return Leasing(
        Means(
            meter=work.meter,
            terms=work.upkeep.terms,
            provisioner=work.maker.provisioner,
            rules=work.file.maintain.rules,
            project=settings.project,
            pause=pause,
        )
    )


handler = resource(_build)
