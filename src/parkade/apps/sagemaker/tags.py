"""Tags: AddTags, ListTags, DeleteTags, and those that something is created with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from parkade.apps.sagemaker.arns import CONFIG, ENDPOINT, MODEL, NOUNS
from parkade.apps.sagemaker.faults import missing
from parkade.apps.wire.faults import invalid
from parkade.domain.errors import NotFound
from parkade.domain.event import Event
from parkade.domain.token import Role

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from parkade.apps.sagemaker.call import Call

LIMIT = 50
#: Keys that begin so are AWS's own.
_RESERVED = "aws:"


def add(call: Call) -> Mapping[str, Any]:
    """Add tags to something, over those of the same keys."""
    kind, name = _writable(call)
    tags = {**_stored(call, kind, name), **given(call)}
    if len(tags) > LIMIT:
        raise invalid(
            f"{call.given['ResourceArn']} would have {len(tags)} tags; {LIMIT} are allowed"
        )
    _store(call, kind, name, tags)
    return {"Tags": _listed(tags)}


def list_all(call: Call) -> Mapping[str, Any]:
    """List the tags of something; all fit on one page."""
    kind, name = _known(call)
    if "NextToken" in call.given:
        raise invalid("NextToken is not one that this list gave: all tags are on its first page")
    return {"Tags": _listed(_stored(call, kind, name))}


def delete(call: Call) -> Mapping[str, Any]:
    """Take tags away; those that are not there count as taken."""
    kind, name = _writable(call)
    gone = set(call.given["TagKeys"])
    tags = _stored(call, kind, name)
    _store(call, kind, name, {key: value for key, value in tags.items() if key not in gone})
    return {}


def given(call: Call) -> dict[str, str]:
    """Return the tags of an input. Raises ValidationException for keys that cannot be used."""
    entries: Iterable[Mapping[str, str]] = call.given.get("Tags", ())
    tags: dict[str, str] = {}
    for entry in entries:
        key = entry["Key"]
        if key in tags:
            raise invalid(f"Tags has the key {key!r} twice")
        if key.lower().startswith(_RESERVED):
            raise invalid(f"Tags has the key {key!r}; keys that begin with aws: are reserved")
        tags[key] = entry["Value"]
    return tags


def begin(call: Call, kind: str, name: str, tags: Mapping[str, str]) -> None:
    """Store the tags that something was created with, over what a namesake has left."""
    call.services.catalog.put_tags(kind, name, tags)


def forget(call: Call, kind: str, name: str) -> None:
    """Forget the tags of what was deleted."""
    call.services.catalog.put_tags(kind, name, {})


def _stored(call: Call, kind: str, name: str) -> Mapping[str, str]:
    return call.services.catalog.tags(kind, name)


def _store(call: Call, kind: str, name: str, tags: Mapping[str, str]) -> None:
    call.services.catalog.put_tags(kind, name, tags)
    call.services.history.append(
        Event(
            at=call.now,
            kind="tags.changed",
            actor=call.actor,
            reason=f"the tags of {NOUNS[kind]} {name} were changed",
            endpoint_name=name if kind == ENDPOINT else "",
            data={"kind": kind, "name": name, "tags": dict(tags)},
        )
    )
    if kind == ENDPOINT:
        call.services.changed()  # the maintainer goes by them


def _writable(call: Call) -> tuple[str, str]:
    kind, _ = call.arns.named(call.given["ResourceArn"])
    call.require(Role.ADMIN if kind in {MODEL, CONFIG} else Role.OPERATOR)
    return _known(call)


def _known(call: Call) -> tuple[str, str]:
    """Return kind and name of what an ARN names. Raises ValidationException if it is not there."""
    arn = call.given["ResourceArn"]
    kind, name = call.arns.named(arn)
    host = call.services.host
    try:
        if kind == MODEL:
            host.model(name)
        elif kind == CONFIG:
            host.config(name)
        elif kind == ENDPOINT:
            call.require_endpoint(name)
            host.description(name)
        else:
            call.require_endpoint(host.component(name).recorded.component.endpoint_name)
    except NotFound as error:
        raise missing(NOUNS[kind], arn) from error
    return kind, name


def _listed(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]
