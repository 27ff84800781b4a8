"""`maintainer`: the steps of `maintainer.asl.json`.

What is done about an idle endpoint is decided by the plan, from what is stored of it, its tags, its
lease and how it is used; a sweep for that endpoint carries it out. Alarms are there to have it looked
at soon, and for people to see: none stops anything by itself.

    understand   an event of EventBridge, or none   what is to be done, for which endpoint
    watch        after its grace                    its alarms are put, if it is still to be watched
    look         on an alarm                        what the ladder says is done; when to come again
    forget       it is gone                         its alarms are deleted
    all          once a day                         each endpoint gets the alarms that it should have
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol

from parkade.apps.lambdas.start import Function
from parkade.apps.lambdas.sweeping import Lateness
from parkade.domain.endpoint import EndpointStatus
from parkade.domain.errors import InvalidInput, ParkadeError
from parkade.domain.event import written
from parkade.domain.eventbridge import ALARM_CHANGE, DELETED, ENDPOINT_CHANGE, upper_snake
from parkade.domain.idlealarm import PREFIX
from parkade.domain.standing import told_at

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from parkade.apps.lambdas.start import Call
    from parkade.apps.settings import FunctionSettings
    from parkade.domain.endpoint import ObservedEndpoint
    from parkade.domain.ladder import Watch
    from parkade.ports.clock import Clock
    from parkade.ports.hosting import Hosting
    from parkade.ports.watches import WatchStore
    from parkade.services.sweep import Sweep

logger = logging.getLogger(__name__)

_IN_SERVICE = upper_snake(EndpointStatus.IN_SERVICE)
_GONE = frozenset({upper_snake(EndpointStatus.DELETING), upper_snake(DELETED)})
_ALARMED = "ALARM"
#: Between two looks at least, and at most: tags and snoozes change without an alarm.
_SOONEST, _LATEST = timedelta(minutes=1), timedelta(hours=1)
#: So many looks after one alarm; the next alarm, the minute's sweep or the daily run look on.
TURNS = 200


class IdleAlarms(Protocol):
    """Makes and deletes the alarms of watched endpoints; all of it can be repeated."""

    def put(self, watch: Watch) -> None:
        """Have an alarm for each variant, and one of all of them."""
        ...

    def delete(self, endpoint_name: str) -> None:
        """Delete an endpoint's alarms; none is there: done."""
        ...

    def names(self) -> Sequence[str]:
        """Return the endpoints that have alarms."""
        ...

    def owner(self, alarm_arn: str) -> str:
        """Return the endpoint whose alarm this is, by what proves it; empty: it is none of ours."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What the maintainer's steps work with."""

    #: The sweep that knows one endpoint, by its name.
    sweep: Callable[[str], Sweep]
    watches: WatchStore
    hosting: Hosting
    alarms: IdleAlarms
    clock: Clock


class Maintaining:
    """Answers one step."""

    def __init__(self, means: Means) -> None:
        self._means = means

    def __call__(self, event: Mapping[str, Any], call: Call) -> dict[str, Any]:
        """Do the step that is named. Raises InvalidInput for one that there is none of."""
        match event.get("do"):
            case "understand":
                return self._understand(event.get("event"))
            case "watch":
                return self._watch(str(event["endpoint_name"]))
            case "look":
                name, alarm = str(event["endpoint_name"]), str(event["alarm"])
                return self._look(name, alarm, int(event["turn"]) + 1)
            case "forget":
                self._means.alarms.delete(str(event["endpoint_name"]))
                return _done("its alarms are gone")
            case "all":
                return self._all(str(event["after"]), call)
            case other:
                raise InvalidInput(f"the maintainer has no step {other!r}", field="do")

    def _understand(self, event: object) -> dict[str, Any]:
        """Return what is to be done, by what happened. What is no concern of ours is nothing."""
        told = event if isinstance(event, Mapping) else {}
        detail = told.get("detail") or {}
        match told.get("detail-type"):
            case title if title == ENDPOINT_CHANGE:
                return self._of_endpoint(str(detail["EndpointName"]), str(detail["EndpointStatus"]))
            case title if title == ALARM_CHANGE:
                return self._of_alarm(told, detail)
            case None | "Scheduled Event":
                return {"do": "all", "after": ""}
            case other:
                return _done(f"events of {other!r} are no concern of the maintainer")

    def _of_endpoint(self, name: str, status: str) -> dict[str, Any]:
        if status in _GONE:
            return {"do": "forget", "endpoint_name": name}
        if status != _IN_SERVICE:
            return _done(f"{name} is {status}")
        # What its tags say is read from SageMaker itself: an event tells them in several forms.
        watch = self._followed(name)
        if watch is None:
            return {"do": "forget", "endpoint_name": name}
        # By what was stored when it was first seen in service: other events do not start it over.
        until = max(watch.begins, self._means.clock.now())
        return {
            "do": "watch",
            "endpoint_name": name,
            "until": written(told_at(until)),
            "turn": 0,
        }

    def _of_alarm(self, event: Mapping[str, Any], detail: Mapping[str, Any]) -> dict[str, Any]:
        if (detail.get("state") or {}).get("value") != _ALARMED:
            return _done("the alarm is over, or does not know")
        arn = str((event.get("resources") or [""])[0])
        name = self._means.alarms.owner(arn)
        if not name or not arn.endswith(f":alarm:{PREFIX}{name}"):
            # A variant's alarm says nothing alone: others may be in use.
            return _done(f"{arn} is no alarm of a whole endpoint by the maintainer")
        return {"do": "look", "endpoint_name": name, "alarm": arn, "turn": 0}

    def _watch(self, name: str) -> dict[str, Any]:
        watch = self._followed(name)
        if watch is None:
            self._means.alarms.delete(name)
            return _done("it is not to be watched any more")
        self._means.alarms.put(watch)
        return _done(f"it has its alarms, by {watch.by}")

    def _look(self, name: str, alarm: str, turn: int) -> dict[str, Any]:
        """Have the plan decide about it now; say when it is to be looked at again."""
        means = self._means
        report = means.sweep(name).run(concerns=lambda each: each == name)
        for failure in report.failed:
            raise failure.error
        acts = [f"{each.kind}: {each.reason}" for each in report.done]
        watch = self._held(name)
        if watch is None:
            means.alarms.delete(name)
            return _done("; ".join([*acts, "it is not to be watched any more"]))
        seen = means.hosting.endpoints().get(name)
        ahead = report.plan.next_at
        if seen is None or seen.status is not EndpointStatus.IN_SERVICE or ahead is None:
            return _done("; ".join([*acts, "no further rung is ahead"]))
        if turn >= TURNS:
            return _done("; ".join([*acts, "the minute's sweep goes on"]))
        return {
            "waits": True,
            "endpoint_name": name,
            "alarm": alarm,
            "turn": turn,
            "until": written(told_at(self._again(ahead))),
            "why": "; ".join(acts),
        }

    def _again(self, ahead: datetime) -> datetime:
        now = self._means.clock.now()
        return min(max(ahead, now + _SOONEST), now + _LATEST)

    def _all(self, after: str, call: Call) -> dict[str, Any]:
        """See to the alarms of all endpoints behind a name, as far as time allows.

        Who is to be watched is what the minute's sweep has stored, of old endpoints and new ones.
        """
        means, late = self._means, Lateness(call.left)
        seen = means.hosting.endpoints()
        watches = {
            each.endpoint_name: each
            for each in means.watches.all().records
            if _is_of(each, seen.get(each.endpoint_name))
        }
        begun = after
        failed: list[str] = []
        for name in sorted(watches.keys() | set(means.alarms.names())):
            if name <= after:
                continue
            # One is seen to in any case: who comes no further would come again for ever.
            if after != begun and late():
                return {"waits": True, "after": after}
            after = name
            try:
                if name in watches:
                    means.alarms.put(watches[name])
                else:
                    means.alarms.delete(name)
            except ParkadeError as error:
                # One that cannot be seen to must not keep the others from it.
                logger.error("the alarms of %s: %s", name, error)  # noqa: TRY400  no bug
                failed.append(name)
        return _done(f"not seen to: {', '.join(failed)}" if failed else "all are seen to")

    def _followed(self, name: str) -> Watch | None:
        """Sweep for the endpoint, so that what is to be remembered of it is; return that."""
        report = self._means.sweep(name).run(concerns=lambda each: each == name)
        for failure in report.failed:
            raise failure.error
        return self._held(name)

    def _held(self, name: str) -> Watch | None:
        found = self._means.watches.all().records
        return next((each for each in found if each.endpoint_name == name), None)


def _is_of(watch: Watch, seen: ObservedEndpoint | None) -> bool:
    """Tell whether a watch is of the endpoint that is there now."""
    return seen is not None and watch.created_at == seen.created_at


def _done(why: str) -> dict[str, Any]:
    return {"do": "nothing", "waits": False, "why": why}


def _build(settings: FunctionSettings) -> Maintaining:
    from parkade.apps.lambdas.idlealarms import AccountAlarms  # noqa: PLC0415  at the first call
    from parkade.apps.lambdas.meterwork import Ground, Work  # noqa: PLC0415

    work = Work(Ground.of(settings))
    return Maintaining(
        Means(
            sweep=lambda name: Work(work.ground, one=name).sweep,
            watches=work.stores.watches,
            hosting=work.hosting,
            alarms=AccountAlarms(work.account, work.maker.subjects),
            clock=work.clock,
        )
    )


handler = Function(_build)
