"""Custom resources: CloudFormation is answered whatever happens, so that no stack waits for an hour.

What takes longer than a function lives goes on in another call of it. CloudFormation waits for an hour,
so that three calls of a quarter of an hour each are as many as end in time.
"""

from __future__ import annotations

import json
import logging
import urllib.request
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from parkade.apps.lambdas.start import Function
from parkade.domain.errors import InvalidInput, ParkadeError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from parkade.apps.lambdas.start import Call
    from parkade.apps.settings import FunctionSettings

logger = logging.getLogger(__name__)

CREATE, UPDATE, DELETE = "Create", "Update", "Delete"
#: Seconds. CloudFormation's address is one of S3's.
_PATIENCE = 20
#: Characters of a reason that CloudFormation takes.
_REASON = 1000
#: The member of an event that counts the calls before this one for the same request, and how many
#: calls there may be.
_CALLS, _MOST_CALLS = "ParkadeCalls", 3
#: What the id of a resource ends in that could not be made, and has nothing to be cleaned up.
_UNMADE = "-unmade"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What CloudFormation asks for."""

    #: CREATE, UPDATE or DELETE.
    request: str
    properties: Mapping[str, Any]
    #: Those before; empty unless it is an UPDATE.
    former: Mapping[str, Any]
    #: What the resource is known by; empty: it is about to be made.
    id: str
    #: What the request is known by: the same where Lambda calls again for it, and no other's.
    request_id: str

    @property
    def unmade(self) -> bool:
        """Whether it is to be deleted without having been made, which is how stacks roll back."""
        return self.request == DELETE and self.id.endswith(_UNMADE)

    def text(self, name: str) -> str:
        """Return a property. Raises InvalidInput where it is missing."""
        value = self.properties.get(name)
        if not isinstance(value, str) or not value:
            raise InvalidInput(f"the resource has no {name}", field=name)
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What came of it."""

    #: What the resource is known by. Another one than before: the former is deleted afterwards.
    id: str
    attributes: Mapping[str, str] = field(default_factory=dict)


class NotYetError(Exception):
    """What there was no time for: it goes on in another call. The cause tells what is waited for."""


class HalfMadeError(Exception):
    """What failed after something was made: it is cleaned up by this id. The cause tells why."""

    def __init__(self, known: str) -> None:
        super().__init__(known)
        self.id = known


def resource(build: Callable[[FunctionSettings], Callable[[Any, Call], Any]]) -> Function:
    """Return the function of a resource, which answers also where it cannot be built."""

    def built(settings: FunctionSettings) -> Callable[[Any, Call], Any]:
        made = cache(lambda: build(settings))  # what was raised is not kept

        def answer(event: Any, call: Call) -> Any:
            try:
                acting = made()
            except Exception as error:  # noqa: BLE001  it is told as the reason
                return answered(event, _raising(error))
            return acting(event, call)

        return answer

    return Function(built)


def _raising(error: Exception) -> Callable[[Asked], Made]:
    def act(_: Asked) -> Made:
        raise error

    return act


def answered(
    event: Mapping[str, Any],
    act: Callable[[Asked], Made],
    again: Callable[[Mapping[str, Any]], None] | None = None,
) -> dict[str, Any]:
    """Do what CloudFormation asks for, and tell it how that went; return what was told.

    What fails is told as the reason, with what to do about it, and is no failure of the function:
    Lambda would try it again, of which CloudFormation knows nothing. `again` has the function called
    with an event, asynchronously, where it raises NotYetError; then nothing is told so far.
    """
    asked = _asked(event)
    try:
        told = _done(asked, event, act)
    except NotYetError as early:
        why = early.__cause__ or early
        if again is not None and _goes_on(event, again, why):
            return {}
        told = _failed(_known(asked, event), why)
    told |= {name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")}
    _put(str(event["ResponseURL"]), told)
    return told


def _goes_on(
    event: Mapping[str, Any], again: Callable[[Mapping[str, Any]], None], why: BaseException
) -> bool:
    """Have another call go on, where there may be one; tell whether one does."""
    calls = int(event.get(_CALLS, 0)) + 1
    if calls >= _MOST_CALLS:
        return False
    try:
        again({**event, _CALLS: calls})
    except ParkadeError as error:
        logger.error("no other call goes on: %s", error)  # noqa: TRY400  no bug
        return False
    logger.info("another call goes on: %s", why)
    return True


def _asked(event: Mapping[str, Any]) -> Asked:
    return Asked(
        request=str(event.get("RequestType")),
        properties=event.get("ResourceProperties") or {},
        former=event.get("OldResourceProperties") or {},
        id=str(event.get("PhysicalResourceId") or ""),
        request_id=str(event["RequestId"]),
    )


def _known(asked: Asked, event: Mapping[str, Any]) -> str:
    """Return what a resource is known by that failed: one that was never made by something as well."""
    return asked.id or f"{event['LogicalResourceId']}{_UNMADE}"


def _done(asked: Asked, event: Mapping[str, Any], act: Callable[[Asked], Made]) -> dict[str, Any]:
    """Return how it went. Raises NotYetError alone."""
    try:
        made = act(asked)
    except NotYetError:
        raise
    except HalfMadeError as half:
        return _failed(half.id, half.__cause__ or half)
    except Exception as error:  # noqa: BLE001  whatever it is, the stack must not wait for it
        return _failed(_known(asked, event), error)
    return {
        "Status": "SUCCESS",
        "PhysicalResourceId": made.id,
        "Data": dict(made.attributes),
    }


def _failed(known: str, error: BaseException) -> dict[str, Any]:
    if isinstance(error, ParkadeError):
        logger.error("%s", error.message, extra={"hint": error.hint})
        reason = "; ".join(filter(None, (error.message, error.hint)))
    else:
        logger.error("the resource could not be brought about", exc_info=error)
        reason = f"{type(error).__name__}: {error}"
    return {"Status": "FAILED", "PhysicalResourceId": known, "Reason": reason[:_REASON]}


def _put(url: str, told: Mapping[str, Any]) -> None:
    # The address is signed for an empty content type.
    request = urllib.request.Request(  # noqa: S310  CloudFormation's own address
        url, data=json.dumps(told).encode(), method="PUT", headers={"Content-Type": ""}
    )
    with urllib.request.urlopen(request, timeout=_PATIENCE):  # noqa: S310
        pass
