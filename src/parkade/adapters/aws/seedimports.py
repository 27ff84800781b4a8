"""What teams of the original endpoint manager have in their account: leases and pass codes.

A lease is a parameter of the Parameter Store, `/sagemaker/endpoint/expiry/<name>`:

    {"expiry": "26-06-2023-12-39-47", "endpoint_name": "demo-Falcon40B-Endpoint",
     "endpoint_config_name": "demo-Falcon40B-EndpointConfig"}

with its expiry in UTC. A pass code is an item of a DynamoDB table with the attribute `token`. What
cannot be understood is told as `Unusable`, and keeps nothing else from being read.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from parkade.adapters.aws.refusals import calling
from parkade.domain import names
from parkade.domain.errors import InvalidInput, NotFound, ParkadeError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from parkade.adapters.aws.account import Account

logger = logging.getLogger(__name__)

PREFIX = "/sagemaker/endpoint/expiry"
TOKEN = "token"  # noqa: S105  the name of the attribute
_FORMAT = "%d-%m-%Y-%H-%M-%S"
#: All that the Parameter Store gives in one page.
_PAGE = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class BoughtLease:
    """A lease as a parameter has it."""

    parameter: str
    #: Of the parameter; it rises with each write.
    version: int
    endpoint_name: str
    config_name: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PassCode:
    """A pass code as an item has it."""

    #: Where it was found, for messages: never the pass code.
    place: str
    secret: str = field(repr=False)
    #: What the item calls it; empty: nothing was asked for, or it says nothing.
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unusable:
    """What cannot be taken over, and why."""

    place: str
    why: str


def leases(account: Account, prefix: str = PREFIX) -> Iterator[BoughtLease | Unusable]:
    """Give every lease below the prefix. Raises what `calling` raises."""
    path = "/" + prefix.strip("/")
    with calling(f"the parameters below {path} cannot be read"):
        for page in account.pages(
            "ssm",
            "get_parameters_by_path",
            Path=path,
            WithDecryption=True,
            PaginationConfig={"PageSize": _PAGE},
        ):
            for parameter in page["Parameters"]:
                yield _lease(parameter)


def forget(account: Account, lease: BoughtLease) -> bool:
    """Remove the parameter of a lease, unless it was written since it was read.

    The Parameter Store has no conditions: it is looked at right before. Returns whether it is gone. Raises what `calling` raises.
    """
    client = account.client("ssm")
    try:
        with calling(f"the parameter {lease.parameter} cannot be removed", _absent):
            present = client.get_parameter(Name=lease.parameter)["Parameter"]["Version"]
            if present != lease.version:
                return False
            client.delete_parameter(Name=lease.parameter)
    except NotFound:
        logger.info("the parameter %s was removed by somebody else", lease.parameter)
    return True


def pass_codes(
    account: Account, table: str, name_attribute: str = ""
) -> Iterator[PassCode | Unusable]:
    """Give every pass code of the table. Raises what `calling` raises."""

    def absent(code: str, text: str) -> ParkadeError | None:
        if code != "ResourceNotFoundException":
            return None
        return InvalidInput(
            f"there is no table {table!r} in {account.region} ({text})",
            field="table",
            hint="look for it in another region: --region",
        )

    number = 0
    with calling(f"the table {table!r} cannot be read", absent):
        for page in account.pages("dynamodb", "scan", TableName=table):
            for item in page["Items"]:
                number += 1
                yield _pass_code(item, f"item {number}", name_attribute)


def _lease(parameter: Mapping[str, Any]) -> BoughtLease | Unusable:
    place = str(parameter["Name"])
    try:
        value = json.loads(parameter["Value"])
    except ValueError as error:
        return Unusable(place=place, why=f"it is not JSON: {error}")
    if not isinstance(value, dict):
        return Unusable(place=place, why="it is no JSON object")
    try:
        return BoughtLease(
            parameter=place,
            version=int(parameter.get("Version", 0)),
            endpoint_name=names.endpoint_name(value.get("endpoint_name"), field="endpoint_name"),
            config_name=names.endpoint_name(
                value.get("endpoint_config_name"), field="endpoint_config_name"
            ),
            expires_at=_instant(value.get("expiry")),
        )
    except InvalidInput as error:
        return Unusable(place=place, why=error.message)


def _instant(text: object) -> datetime:
    try:
        return datetime.strptime(str(text), _FORMAT).replace(tzinfo=UTC)
    except ValueError as error:
        raise InvalidInput(f"expiry {text!r} is not dd-mm-YYYY-HH-MM-SS", field="expiry") from error


def _pass_code(item: Mapping[str, Any], place: str, name_attribute: str) -> PassCode | Unusable:
    secret = _text(item, TOKEN)
    if secret is None:
        return Unusable(place=place, why=f"it has no text as its attribute {TOKEN!r}")
    if not name_attribute:
        return PassCode(place=place, secret=secret, name="")
    name = _text(item, name_attribute)
    if name is None:
        return Unusable(place=place, why=f"it has no text as its attribute {name_attribute!r}")
    return PassCode(place=place, secret=secret, name=name)


def _text(item: Mapping[str, Any], attribute: str) -> str | None:
    value = item.get(attribute, {}).get("S")
    return value if isinstance(value, str) and value.strip() else None


def _absent(code: str, text: str) -> ParkadeError | None:
    return NotFound(text) if code == "ParameterNotFound" else None
