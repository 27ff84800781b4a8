"""`leasing`: the lease of an endpoint that a stack describes, as a resource of CloudFormation.

Time is bought once, when the resource is made, or first wants its endpoint up. Deploying again changes
the endpoint config and what is settled about the lease, and buys nothing; an endpoint that runs is
updated, and waited for: CloudFormation deletes the former config once this is answered, which must
serve nobody any more. When the resource goes, the lease is ended, and its endpoint deleted.

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
    NotYetError,
    answered,
    resource,
)
from parkade.apps.lambdas.sweeping import Lateness
from parkade.domain.endpoint import TRANSIENT, EndpointStatus
from parkade.domain.errors import Conflict, EndpointBusy, InvalidInput, LeaseNotFound
from parkade.domain.project import endpoint as endpoints
from parkade.domain.project import terms as settling
from parkade.domain.project.part import Kind, Part
from parkade.domain.rollout import Strategy
from parkade.services import keys

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from parkade.apps.lambdas.start import Call
    from parkade.apps.settings import FunctionSettings
    from parkade.domain.idle import IdleRules
    from parkade.domain.lease import Lease
    from parkade.domain.project.endpoint import Wanted
    from parkade.ports.leases import LeaseBook
    from parkade.ports.provisioner import Provisioner
    from parkade.services.meter import Meter
    from parkade.services.terms import TermsBook

logger = logging.getLogger(__name__)

ACTOR = "stack"
#: What the id of a resource ends in whose lease was there before it.
_HELD = "-held-before"
#: Between two looks at an endpoint that cannot be updated, or deleted, yet.
_PAUSE = timedelta(seconds=10)
_RESERVE = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What leasing works with."""

    meter: Meter
    book: LeaseBook
    terms: TermsBook
    provisioner: Provisioner
    #: The ladder of endpoints that have none of their own.
    rules: Callable[[], IdleRules]
    #: The project's prefix, which owns what names no owner.
    project: str
    pause: Callable[[timedelta], None]
    #: Has this function called again, asynchronously, with this event.
    again: Callable[[Mapping[str, Any]], None]


class Leasing:
    """Answers CloudFormation."""

    def __init__(self, means: Means) -> None:
        self._means = means

    def __call__(self, event: Mapping[str, Any], call: Call) -> dict[str, Any]:
        """Make, change or end a lease."""

        def act(asked: Asked) -> Made:
            late = Lateness(call.left, _RESERVE)
            if asked.request == DELETE:
                self._leave(asked, late)
                return Made(id=asked.id)
            return Made(id=self._settle(asked.text("EndpointName"), asked, late))

        return answered(event, act, self._means.again)

    def _settle(self, name: str, asked: Asked, late: Lateness) -> str:
        """Have it leased as the resource says; return what the resource is known by."""
        means, wanted = self._means, _wanted(name, asked)
        config_name, amount = asked.text("EndpointConfigName"), wanted.order.amount
        # A request that Lambda makes twice buys once; a stack that is made again, again.
        coin = keys.let_coin(name, ACTOR, asked.request_id, config_name, amount)
        before = self._held(name)
        if before is not None and means.book.spent(coin) is not None:
            before = None  # it was bought by this request, when it was made first
        elif before is None and wanted.deploy:
            owner = wanted.order.owner or means.project
            means.meter.let(
                name, config_name, amount=amount, owner=owner, actor=ACTOR, key=asked.request_id
            )
        elif before is not None:
            means.meter.reconfigure(name, config_name, actor=ACTOR)
            self._update(name, config_name, late)
        own = asked.id if asked.id in {name, name + _HELD} else name + (_HELD if before else "")
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

    def _update(self, name: str, config_name: str, late: Lateness) -> None:
        """Have an endpoint that runs another config run this one; others have it at their start.

        Raises Conflict where it goes back to the former one, and NotYetError where that takes long.
        """
        begun = False
        while (there := self._means.provisioner.look(name)) is not None:
            seen = there.observed
            if seen.status is EndpointStatus.IN_SERVICE:
                if seen.config_name == config_name:
                    return
                if begun:
                    raise Conflict(
                        f"{name} went back to {seen.config_name}: {config_name} could not be brought "
                        f"up: {seen.failure_reason or 'no reason given'}",
                        hint="mend the model or its variants, and deploy again",
                    )
                self._means.provisioner.update(
                    name, config_name, ACTOR, strategy=Strategy(), keeps_counts=True
                )
                begun = True
                self._means.pause(_PAUSE)  # a description may be of the moment before
            elif seen.status is EndpointStatus.DELETING or seen.status not in TRANSIENT:
                return
            elif late():
                raise NotYetError from EndpointBusy(
                    f"{name} is still {seen.status}, and does not serve {config_name} yet",
                    hint="deploy again once it is InService",
                )
            else:
                self._means.pause(_PAUSE)

    def _end(self, name: str, late: Lateness) -> None:
        """Remove the lease with its endpoint. Raises NotYetError where that takes long.

        The lease is over by then, and the sweep deletes the endpoint as soon as that can be.
        """
        while True:
            try:
                self._means.meter.remove(name, actor=ACTOR)
            except LeaseNotFound:
                return
            except EndpointBusy as error:
                if late():
                    raise NotYetError from error
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
            book=work.stores.book,
            terms=work.upkeep.terms,
            provisioner=work.maker.provisioner,
            rules=work.file.maintain.rules,
            project=settings.project,
            pause=pause,
            again=work.again,
        )
    )


handler = resource(_build)
