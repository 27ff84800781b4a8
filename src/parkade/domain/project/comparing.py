"""Compares a project with what is there: from what was seen of each part to the changes, pure."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from parkade.domain.price import Sum, total
from parkade.domain.project import contents
from parkade.domain.project.difference import Change, Difference, Problem, Verb
from parkade.domain.project.part import Ref
from parkade.domain.project.secrets import veiled

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from parkade.domain.event import Json
    from parkade.domain.project.part import Part
    from parkade.domain.project.project import Project
    from parkade.domain.project.record import Made

_ADOPT = "take it into the project (adopt), or remove it, or give the part another name"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """One part that is wanted, as its keeper sees it."""

    part: Part
    #: None: there is none of its name.
    found: Mapping[str, Json] | None
    #: What `found` will be once it is made.
    settled: Mapping[str, Json]
    hourly_before: Sum | None
    hourly_after: Sum
    #: Instances at most.
    instances: int
    #: What is written down of it; None: the project has not made it.
    made: Made | None
    #: The prefix of another project that has made it; empty: none has.
    other: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leftover:
    """One part that the project has made and that is no longer wanted."""

    made: Made
    #: None: it is gone already.
    found: Mapping[str, Json] | None
    hourly: Sum | None
    stays: tuple[str, ...] = ()


def compare(
    project: Project,
    sights: Sequence[Sight],
    leftovers: Sequence[Leftover],
    *,
    adopt: bool,
    secrets: Collection[str],
) -> Difference:
    """Return what makes the project out of what is there, and what stands against it."""
    replaced: dict[Ref, Leftover] = {}
    changes: list[Change] = []
    problems: list[Problem] = []
    unchanged: list[Part] = []
    for sight in sorted(sights, key=lambda each: each.part.kind.order):
        problem = _foreign(sight, project.prefix, adopt=adopt)
        if problem is not None:
            problems.append(problem)
            continue
        formers = _formers(sight, leftovers)
        replaced |= {each.made.ref: each for each in formers}
        change = _change(sight, formers)
        if change is None:
            unchanged.append(sight.part)
        else:
            changes.append(change)
    going = [each for each in leftovers if each.made.ref not in replaced]
    changes += _removals(going)
    return Difference(
        prefix=project.prefix,
        changes=tuple(_veiled(change, project, secrets) for change in changes),
        problems=(*problems, *_beyond(project, sights)),
        plan_id=plan_id(project.prefix, changes),
        hourly_before=total(
            each
            for each in (
                *(sight.hourly_before for sight in sights),
                *(leftover.hourly for leftover in leftovers),
            )
            if each is not None
        ),
        hourly_after=total(sight.hourly_after for sight in sights),
        stays=_stays(leftovers),
        unchanged=tuple(unchanged),
    )


def remove(prefix: str, leftovers: Sequence[Leftover]) -> Difference:
    """Return what destroying a project removes."""
    changes = _removals(leftovers)
    return Difference(
        prefix=prefix,
        changes=tuple(changes),
        plan_id=plan_id(prefix, changes),
        hourly_before=total(each.hourly for each in leftovers if each.hourly is not None),
        stays=_stays(leftovers),
    )


def plan_id(prefix: str, changes: Iterable[Change]) -> str:
    """Return the fingerprint of the changes of a project, with the values that no view tells."""
    return contents.fingerprint(
        [
            prefix,
            *(
                {
                    "verb": change.verb,
                    "kind": change.kind,
                    "name": change.name,
                    "formers": list(change.formers),
                    "reason": change.reason,
                    "fields": [
                        [each.path, each.before, "->", each.after] for each in change.fields
                    ],
                }
                for change in changes
            ),
        ]
    )


def _change(sight: Sight, formers: Sequence[Leftover]) -> Change | None:
    """Return what is done about a part that is wanted; None: it is as it is to be."""
    part, made = sight.part, sight.made
    change = Change(
        verb=Verb.CHANGE,
        kind=part.kind,
        name=part.name,
        key=part.key,
        hourly_before=sight.hourly_before,
        hourly_after=sight.hourly_after,
    )
    if sight.found is None:
        return _creation(sight, change, formers)
    change = replace(change, fields=contents.fields(sight.found, sight.settled))
    if made is None:
        return replace(change, reason="it is there already, and is taken into the project")
    if not change.fields:
        return None
    if not made.content:
        return replace(change, reason="it was not made to its end before")
    if made.content == contents.fingerprint(part.content):
        return replace(change, reason="it was changed by hand since it was applied")
    return change


def _creation(sight: Sight, change: Change, formers: Sequence[Leftover]) -> Change:
    if formers:
        former = formers[-1].found
        return replace(
            change,
            verb=Verb.REPLACE,
            formers=tuple(each.made.ref.name for each in formers),
            fields=contents.fields(former, sight.settled) if former is not None else (),
            hourly_before=total(each.hourly for each in formers if each.hourly is not None),
        )
    gone = sight.made is not None and bool(sight.made.content)
    return replace(
        change,
        verb=Verb.CREATE,
        fields=contents.fields({}, sight.settled),
        reason="it was made before, and is gone by other hands" if gone else "",
    )


def _formers(sight: Sight, leftovers: Iterable[Leftover]) -> list[Leftover]:
    """Return what has the part's key under other names, where the part is to be made anew."""
    if sight.found is not None:
        return []
    of = (sight.part.kind, sight.part.key)
    return [each for each in leftovers if (each.made.ref.kind, each.made.key) == of]


def _removals(leftovers: Iterable[Leftover]) -> list[Change]:
    """Return the removals, the other way round than parts are made."""
    changes = [
        Change(
            verb=Verb.REMOVE,
            kind=each.made.ref.kind,
            name=each.made.ref.name,
            key=each.made.key,
            hourly_before=each.hourly,
            reason="" if each.found is not None else "it is gone already, and is forgotten",
        )
        for each in leftovers
    ]
    return sorted(changes, key=lambda change: -change.kind.order)


def _stays(leftovers: Iterable[Leftover]) -> tuple[str, ...]:
    """Return what stays of all of them, each once."""
    return tuple(dict.fromkeys(text for each in leftovers for text in each.stays))


def _foreign(sight: Sight, prefix: str, *, adopt: bool) -> Problem | None:
    """Return why a part is not this project's to make; None: it is."""
    ref = sight.part.ref
    if sight.other:
        return Problem(
            message=f"{ref} is of the project {sight.other}, and cannot be of {prefix} as well",
            hint="take it out of one of the two files, or give the part another name",
            kind=ref.kind,
            name=ref.name,
        )
    if sight.found is None or sight.made is not None or adopt:
        return None
    return Problem(
        message=f"{ref} is there already, and the project {prefix} has not made it",
        hint=_ADOPT,
        kind=ref.kind,
        name=ref.name,
    )


def _beyond(project: Project, sights: Sequence[Sight]) -> list[Problem]:
    """Return which of the project's own limits it would go beyond."""
    problems = []
    limits = project.limits
    hourly = total(sight.hourly_after for sight in sights)
    if limits.hourly is not None and hourly.usd > limits.hourly:
        problems.append(
            Problem(
                message=f"the project would cost {hourly} an hour, more than its limit of "
                f"{limits.hourly} USD",
                hint="take smaller or fewer instances, or raise limits.hourly",
                field="limits.hourly",
            )
        )
    instances = sum(sight.instances for sight in sights)
    if limits.instances is not None and instances > limits.instances:
        problems.append(
            Problem(
                message=f"the project could have {instances} instances, more than its limit of "
                f"{limits.instances}",
                hint="let scaling go less far, or raise limits.instances",
                field="limits.instances",
            )
        )
    return problems


def _veiled(change: Change, project: Project, secrets: Collection[str]) -> Change:
    ref = Ref(kind=change.kind, name=change.name)
    paths = [path for part in project.parts if part.ref == ref for path in part.secret]
    return replace(change, fields=tuple(veiled(each, secrets, paths) for each in change.fields))
