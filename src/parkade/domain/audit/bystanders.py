"""Checks of what is set about endpoints and outlived them, and of those who are to hear."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.domain.audit.finding import Finding, Kind, Mending
from parkade.domain.spans import duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from parkade.domain.audit.survey import Survey, Watched

#: The parts that tell whether there is anything of a name.
_EXISTENCE = ("endpoints", "leases", "booked", "remains")


def orphaned_alarms(survey: Survey) -> Iterator[Finding]:
    """Find alarms all of whose endpoints, variants or components are gone."""
    if not survey.known(*_EXISTENCE, "blueprints", "components"):
        return
    for name, watched in survey.alarms.items():
        gone = [_gone(survey, each) for each in watched]
        if not gone or not all(gone):
            continue
        restorable = any(each.endpoint_name in survey.remains for each in watched)
        yield Finding(
            kind=Kind.ORPHANED_ALARM,
            name=name,
            text=f"alarm {name} is on {', '.join(gone)}, which {_be(gone)} gone",
            hint="parkade undo could bring it back; to remove the alarm, use DeleteAlarms"
            if restorable
            else "parkade audit --fix removes it",
            mending=Mending.BY_HAND if restorable else Mending.FIX,
            mends="" if restorable else "remove it",
        )


def _gone(survey: Survey, watched: Watched) -> str:
    """Name what an alarm is on and is gone; empty where it is there, or not known."""
    if watched.component_name:
        there = watched.component_name in survey.components
        return "" if there else f"inference component {watched.component_name}"
    if not survey.exists(watched.endpoint_name):
        return f"endpoint {watched.endpoint_name}"
    variants = survey.variants(watched.endpoint_name)
    if not watched.variant_name or variants is None or watched.variant_name in variants:
        return ""
    return f"variant {watched.variant_name} of {watched.endpoint_name}"


def _be(names: list[str]) -> str:
    return "is" if len(names) == 1 else "are"


def dangling_routes(survey: Survey) -> Iterator[Finding]:
    """Find routes to endpoints that are not there."""
    if not survey.known(*_EXISTENCE):
        return
    for path, endpoint_name in survey.routes.items():
        if not survey.exists(endpoint_name):
            yield Finding(
                kind=Kind.DANGLING_ROUTE,
                name=path,
                text=f"route {path} leads to {endpoint_name}, and nothing has that name",
                hint=f"parkade route rm {path}",
            )


def orphaned_tags(survey: Survey) -> Iterator[Finding]:
    """Find tags of endpoints that are gone: the next one of the name would have them."""
    if not survey.known(*_EXISTENCE):
        return
    for name, tags in survey.tags.items():
        if not survey.exists(name):
            yield Finding(
                kind=Kind.ORPHANED_TAGS,
                name=name,
                text=f"{name} is gone, and its tags are not: "
                + ", ".join(f"{key}={value}" for key, value in tags.items()),
                hint="parkade audit --fix forgets them, lest the next endpoint of the name has them",
                mending=Mending.FIX,
                mends="forget them",
            )


def orphaned_watches(survey: Survey) -> Iterator[Finding]:
    """Find what the maintainer remembers of endpoints that are gone."""
    if not survey.known(*_EXISTENCE):
        return
    for name, watch in survey.watches.items():
        if not survey.exists(name):
            yield Finding(
                kind=Kind.ORPHANED_WATCH,
                name=name,
                text=f"the maintainer watches {name} ({watch.by}), which is gone",
                hint="the next sweep forgets it; if it stays, see: parkade events",
                mending=Mending.FIX,
                mends="forget it",
                since=watch.since,
            )


def orphaned_targets(survey: Survey) -> Iterator[Finding]:
    """Find settings of target models whose endpoint is gone for good."""
    if not survey.known(*_EXISTENCE):
        return
    for each in survey.targets:
        name = each.endpoint_name
        if not survey.exists(name) and name not in survey.remains:
            yield Finding(
                kind=Kind.ORPHANED_TARGET,
                name=f"{name}/{each.target}",
                text=f"{name} is gone, and what was asked for about its target model "
                f"{each.target} is not",
                hint="parkade audit --fix forgets it",
                mending=Mending.FIX,
                mends="forget it",
            )


def failing_subscribers(survey: Survey) -> Iterator[Finding]:
    """Find subscribers that take nothing."""
    for name, progress in survey.progress.items():
        since = progress.failing_since
        if since is not None:
            yield Finding(
                kind=Kind.FAILING_SUBSCRIBER,
                name=name,
                text=f"nothing has reached subscriber {name} for {duration(survey.wall - since)}: "
                f"{progress.cause}",
                hint=f"parkade subscriber test {name}",
                since=since,
            )


def letters(survey: Survey) -> Iterator[Finding]:
    """Find events that could not be delivered, and wait for somebody to say what to do."""
    for name, count in survey.letters.items():
        if count:
            yield Finding(
                kind=Kind.LETTERS,
                name=name,
                text=f"{count} event{'s' if count > 1 else ''} could not be delivered to "
                f"subscriber {name}",
                hint=f"parkade letters ls {name}; then resend or drop",
            )


def unread(survey: Survey) -> Iterator[Finding]:
    """Find what could not be read: nothing that rests on it is checked."""
    for what, why in survey.unread.items():
        yield Finding(
            kind=Kind.UNREADABLE,
            name=what,
            text=f"{what} cannot be read: {why}",
            hint="what cannot be read is left alone; put it right where it is kept (embedded: in "
            "the state folder, then restart Parkade)",
        )
