"""Which endpoints the maintainer watches, by which rules, and what it remembers of each.

An endpoint opts in by a tag, or its owner settles it in the terms of its lease. Its timers come
from these terms, else from its tags, else from the server's settings. A timer that cannot be read
is not guessed: the endpoint is watched and its owner told, but nothing is stopped or removed.

The memory follows what is seen: a watch begins when an endpoint that opted in is in service, goes
on through updates and scaling, and begins anew for another endpoint of the name or by other rules.
What has slept has its grace again when it wakes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from parkade.domain.endpoint import EndpointStatus, ObservedEndpoint
from parkade.domain.errors import InvalidInput
from parkade.domain.ladder import Watch
from parkade.domain.spans import read_span

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime, timedelta

    from parkade.domain.idle import IdleRules, Use
    from parkade.domain.terms import Terms

#: The opt-in that is told for terms, and for servers that watch everything.
BY_TERMS, BY_SERVER = "lease settings", "server settings"
NEVER = "never"


class Watched(StrEnum):
    """Which endpoints a server's maintainer watches."""

    TAGGED = "tagged"
    ALL = "all"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opting:
    """How endpoints opt in on this server, and the ladder of those with none of their own."""

    watched: Watched
    tag_key: str
    tag_value: str
    rules: IdleRules


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """That an endpoint is to be watched: by what, and by which rules."""

    by: str
    rules: IdleRules
    #: What of its tags cannot be used; empty: nothing.
    unusable: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What the maintainer remembers of an endpoint from now on; None: nothing, any more."""

    endpoint_name: str
    before: Watch | None
    after: Watch | None
    #: Why, as a sentence; empty where it is no news.
    reason: str


def asked(opting: Opting, tags: Mapping[str, str], terms: Terms | None) -> Asked | None:
    """Return how the endpoint is to be watched; None: not at all."""
    if opting.watched is Watched.NONE:
        return None
    by = _opted_in(opting, tags, terms)
    if by is None:
        return None
    if terms is not None and terms.idle is not None:
        rules, unusable = terms.idle, ""
    else:
        rules, unusable = tagged_rules(opting.tag_key, tags, opting.rules)
    if opting.watched is Watched.ALL:
        rules = rules.within(opting.rules)
        meanwhile = "the server's timers count"
    else:
        meanwhile = "it is watched, and neither stopped nor removed by a guess"
    return Asked(by=by, rules=rules, unusable=f"{unusable}; {meanwhile}" if unusable else "")


def _opted_in(opting: Opting, tags: Mapping[str, str], terms: Terms | None) -> str | None:
    if opting.watched is Watched.ALL:
        return BY_SERVER
    settled = terms.maintain if terms is not None else None
    if settled is not None:
        return BY_TERMS if settled else None
    if tags.get(opting.tag_key) == opting.tag_value:
        return f"tag {opting.tag_key}={opting.tag_value}"
    return None


def tagged_rules(key: str, tags: Mapping[str, str], rules: IdleRules) -> tuple[IdleRules, str]:
    """Return the rules with the timers of `key.grace`, `key.window` and so on.

    Where one of them cannot be used, say which, and return rules that stop and remove nothing.
    """
    unusable: list[str] = []
    for suffix, read in _READERS.items():
        text = tags.get(f"{key}.{suffix}")
        if text is None:
            continue
        try:
            rules = replace(rules, **{suffix.replace("-", "_"): read(text, f"{key}.{suffix}")})
        except InvalidInput as error:
            unusable.append(f"tag {key}.{suffix}={text}: {error.message}")
    if unusable:
        rules = replace(rules, stop_after=None, delete_after=None)
    return rules, "; ".join(unusable)


def _span(text: str, field: str) -> timedelta:
    return read_span(text, field=field)


def _span_or_never(text: str, field: str) -> timedelta | None:
    return None if text == NEVER else read_span(text, field=field)


def windows(text: str, field: str) -> int | None:
    """Read a number of windows, or `never` as None. Raises InvalidInput."""
    if text == NEVER:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise InvalidInput(
            f"{field} {text[:80]!r} is not a number of windows",
            field=field,
            hint="write a whole number of 1 or more, or: never",
        )
    return int(text)


_READERS: Mapping[str, Callable[[str, str], Any]] = {
    "grace": _span,
    "window": _span,
    "notice-after": windows,
    "stop-after": windows,
    "delete-after": _span_or_never,
}


def followed(
    now: datetime,
    before: Watch | None,
    seen: ObservedEndpoint | None,
    wanted: Asked | None,
    *,
    leased: bool,
    use: Use | None,
) -> Watch | None:
    """Return what is remembered of an endpoint from now on.

    What was stopped is remembered for as long as its lease is there, for the ladder's last rung.
    """
    if wanted is None:
        return None
    if seen is not None and seen.status is EndpointStatus.IN_SERVICE:
        if before is None or before.created_at != seen.created_at:
            before = _begun(now, seen, wanted)
        elif seen.awake_since is not None and seen.awake_since > before.in_service_at:
            before = replace(before, in_service_at=seen.awake_since)  # it has slept meanwhile
        return _informed(now, _ruled(now, before, wanted), use)
    if before is None or not (leased or (seen and seen.created_at == before.created_at)):
        return None
    return _ruled(now, before, wanted)


def _begun(now: datetime, seen: ObservedEndpoint, wanted: Asked) -> Watch:
    return Watch(
        endpoint_name=seen.name,
        created_at=seen.created_at,
        in_service_at=seen.changed_at,
        since=now,
        rules=wanted.rules,
        by=wanted.by,
    )


def _ruled(now: datetime, watch: Watch, wanted: Asked) -> Watch:
    """Return the watch by these rules; a ladder of other windows begins anew."""
    since = watch.since if watch.rules.ladder == wanted.rules.ladder else now
    return replace(watch, rules=wanted.rules, by=wanted.by, since=since)


def _informed(now: datetime, watch: Watch, use: Use | None) -> Watch:
    """Return the watch with the instant since which something is not known."""
    if use is not None and use.unknown:
        return replace(watch, unknown_since=watch.unknown_since or now)
    return replace(watch, unknown_since=None)


def change(endpoint_name: str, before: Watch | None, after: Watch | None) -> Change | None:
    """Return what has changed, with its reason; None: nothing."""
    if before == after:
        return None
    return Change(
        endpoint_name=endpoint_name, before=before, after=after, reason=_why(before, after)
    )


def _why(before: Watch | None, after: Watch | None) -> str:
    if after is None:
        return "the maintainer watches it no more"
    if before is None or before.created_at != after.created_at:
        return f"the maintainer watches it, by {after.by}"
    if before.rules.ladder != after.rules.ladder:
        return "its windows begin anew, by other rules"
    if before.rules != after.rules or before.by != after.by:
        return f"the maintainer goes on watching it, by {after.by}"
    return ""
