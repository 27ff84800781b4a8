"""A project as it is wanted at one stage: its parts, and what holds for all of them."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003  stores read these forms by their annotations
from dataclasses import dataclass, field
from decimal import Decimal  # noqa: TC003
from typing import TYPE_CHECKING

from parkade.domain import names
from parkade.domain.errors import InvalidInput
from parkade.domain.project import contents
from parkade.domain.project.part import Part, prefix_of

if TYPE_CHECKING:
    from parkade.domain.event import Json

#: The tag that everything carries which a project made; its value is the project's prefix.
PROJECT_TAG = "parkade:project"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a project may become; None: as much as the server allows."""

    #: USD an hour, while all of it runs.
    hourly: Decimal | None = None
    #: Instances of all its endpoints, as far as scaling may take them.
    instances: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """One project at one stage. One that exists has parts with names of their own."""

    name: str
    stage: str = ""
    parts: tuple[Part, ...] = ()
    #: The file's content at its stage. It can be sent again; secrets are references in it.
    document: Mapping[str, Json] = field(default_factory=dict)
    #: USD an hour by instance type, believed before the server's own.
    prices: Mapping[str, Decimal] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        names.endpoint_name(self.prefix, field="project")
        seen = set()
        for part in self.parts:
            if part.ref in seen:
                raise InvalidInput(
                    f"the project has {part.ref} twice",
                    field=str(part.kind),
                    hint="give each part a name of its own",
                )
            seen.add(part.ref)

    @property
    def digest(self) -> str:
        """The fingerprint of all of it."""
        parts: list[Json] = [[each.kind, each.name, each.key, each.content] for each in self.parts]
        prices = {name: str(price) for name, price in self.prices.items()}
        limits = [str(self.limits.hourly), self.limits.instances]
        return contents.fingerprint([self.name, self.stage, parts, self.document, prices, limits])

    @property
    def prefix(self) -> str:
        """What it is known by, and what the names of its parts begin with."""
        return prefix_of(self.name, self.stage)
