"""Which members of a project's parts hold secrets, so that no view and no difference tells them.

A part says which of its own members are secret. A document holds references in the place of secrets,
`{env: NAME}`, `{file: PATH}` or `{aws_secret: ARN}`, and whatever is called as a member with one is
hidden in every part, those included whose part is no longer known: once too often rather than once
too seldom.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from parkade.domain.event import Json
    from parkade.domain.project.difference import Field

#: What a reference has as its one member.
REFERENCES = frozenset({"env", "file", "aws_secret"})
#: What is hidden whether or not a document refers to it.
_ALWAYS = frozenset({"secret", "password", "token"})
#: What stands in the place of a value that is hidden.
MASK = "***"


def secret_members(*documents: Mapping[str, Json]) -> frozenset[str]:
    """Return the names of all members that hold a reference in one of the documents."""
    return _ALWAYS.union(*(_referring(document, "") for document in documents))


def masked(content: Json, members: Collection[str]) -> Json:
    """Return the content with the values of these members hidden."""
    if isinstance(content, Mapping):
        return {
            name: MASK if name in members and each is not None else masked(each, members)
            for name, each in content.items()
        }
    if isinstance(content, Sequence) and not isinstance(content, str):
        return [masked(each, members) for each in content]
    return content


def veiled(field: Field, members: Collection[str], paths: Collection[str] = ()) -> Field:
    """Return a field of a difference without values that are secret.

    `paths` are those of the part: `environment.HF_TOKEN`, `containers.0.environment.KEY`.
    """
    names = field.path.replace("[", ".").replace("]", "").split(".")
    places = {".".join(names[:end]) for end in range(1, len(names) + 1)}
    whole = f"{'.'.join(names)}."
    if places.intersection(paths) or any(name in members for name in names):
        return replace(field, before=None, after=None, hidden=True)
    if any(path.startswith(whole) for path in paths):
        # A secret is somewhere in the values.
        return replace(field, before=None, after=None, hidden=True)
    return replace(field, before=masked(field.before, members), after=masked(field.after, members))


def _referring(value: Json, name: str) -> Iterator[str]:
    if isinstance(value, Mapping):
        if len(value) == 1 and REFERENCES.issuperset(value):
            yield name
            return
        for member, each in value.items():
            yield from _referring(each, member)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for each in value:
            yield from _referring(each, name)
