"""Custom resources: CloudFormation is answered whatever happens, so that no stack waits for an hour."""

from __future__ import annotations

import json
import logging
import urllib.request
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from parkade.domain.errors import InvalidInput, ParkadeError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

logger = logging.getLogger(__name__)

CREATE, UPDATE, DELETE = "Create", "Update", "Delete"
#: Seconds. CloudFormation's address is one of S3's.
_PATIENCE = 20
#: Characters of a reason that CloudFormation takes.
_REASON = 1000


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


def answered(event: Mapping[str, Any], act: Callable[[Asked], Made]) -> dict[str, Any]:
    """Do what CloudFormation asks for, and tell it how that went; return what was told.

    What fails is told as the reason, with what to do about it, and is no failure of the function:
    Lambda would try it again, of which CloudFormation knows nothing.
    """
    asked = Asked(
        request=str(event.get("RequestType")),
        properties=event.get("ResourceProperties") or {},
        former=event.get("OldResourceProperties") or {},
        id=str(event.get("PhysicalResourceId") or ""),
    )
    told: dict[str, Any] = {
        "StackId": event["StackId"],
        "RequestId": event["RequestId"],
        "LogicalResourceId": event["LogicalResourceId"],
    }
    try:
        made = act(asked)
    except ParkadeError as error:
        logger.error("%s", error.message, extra={"hint": error.hint})  # noqa: TRY400  no bug
        reason = "; ".join(filter(None, (error.message, error.hint)))
        told |= _failed(asked, event, reason)
    except Exception as error:  # whatever it is, the stack must not wait for it
        logger.exception("the resource could not be brought about")
        told |= _failed(asked, event, f"{type(error).__name__}: {error}")
    else:
        told |= {
            "Status": "SUCCESS",
            "PhysicalResourceId": made.id,
            "Data": dict(made.attributes),
        }
    _put(str(event["ResponseURL"]), told)
    return told


def _failed(asked: Asked, event: Mapping[str, Any], reason: str) -> dict[str, Any]:
    # One that was never made has to be known by something, to be cleaned up.
    known = asked.id or f"{event['LogicalResourceId']}-unmade"
    return {"Status": "FAILED", "PhysicalResourceId": known, "Reason": reason[:_REASON]}


def _put(url: str, told: Mapping[str, Any]) -> None:
    # The address is signed for an empty content type.
    request = urllib.request.Request(  # noqa: S310  CloudFormation's own address
        url, data=json.dumps(told).encode(), method="PUT", headers={"Content-Type": ""}
    )
    with urllib.request.urlopen(request, timeout=_PATIENCE):  # noqa: S310
        pass
