"""How a project differs from what is there: changes, in the order they are made, and problems.

Pure: what was found, and what it is to become, is told by the keepers and handed in.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from parkade.domain.price import EMPTY, Sum

if TYPE_CHECKING:
    from parkade.domain.event import Json
    from parkade.domain.project.part import Kind, Part

#: Hours of a month, as it is priced.
MONTH = 730


class Verb(StrEnum):
    """What is done about a part."""

    CREATE = "create"
    CHANGE = "change"
    #: The new one is made under its derived name; the former ones go when nothing uses them.
    REPLACE = "replace"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One member of a part's content that is to change."""

    #: Where it is: `productionVariants[Model-A].InitialVariantWeight`.
    path: str
    #: None: there is none, or it is null.
    before: Json = None
    after: Json = None
    #: It holds a secret: neither value is told, only that they differ.
    hidden: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is to be done about one part."""

    verb: Verb
    kind: Kind
    #: What it is called where it runs; of one that is replaced, the new name.
    name: str
    #: What it is called in the file.
    key: str
    #: CHANGE: what changes. REPLACE: how the new one differs from the former.
    fields: tuple[Field, ...] = ()
    #: REPLACE: the names that go.
    formers: tuple[str, ...] = ()
    #: USD an hour before and after, while it runs; None: it is not there then.
    hourly_before: Sum | None = None
    hourly_after: Sum | None = None
    #: Why, where it is not that the file says so: changed by hand, adopted, gone ...
    reason: str = ""

    @property
    def monthly_before(self) -> Sum | None:
        """USD a month before."""
        return None if self.hourly_before is None else monthly(self.hourly_before)

    @property
    def monthly_after(self) -> Sum | None:
        """USD a month after."""
        return None if self.hourly_after is None else monthly(self.hourly_after)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Why the project would not be applied, and what to do."""

    message: str
    hint: str = ""
    #: Which part; None: the project as a whole.
    kind: Kind | None = None
    name: str = ""
    #: The member that is unusable; empty: what is there stands against it.
    field: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What applying a project, or destroying it, would do."""

    #: The project's prefix.
    prefix: str
    #: In the order they are made; removals are last.
    changes: tuple[Change, ...] = ()
    problems: tuple[Problem, ...] = ()
    #: The fingerprint of the changes: another one, and what is there has changed since.
    plan_id: str = ""
    #: USD an hour of the whole project, parts included that do not change.
    hourly_before: Sum = EMPTY
    hourly_after: Sum = EMPTY
    #: Of a removal: what stays where it is, such as captured data.
    stays: tuple[str, ...] = ()
    #: The parts that are wanted and of which nothing changes.
    unchanged: tuple[Part, ...] = ()

    @property
    def monthly_before(self) -> Sum:
        """USD a month before."""
        return monthly(self.hourly_before)

    @property
    def monthly_after(self) -> Sum:
        """USD a month after."""
        return monthly(self.hourly_after)


def monthly(hourly: Sum) -> Sum:
    """Return what a month costs: 730 hours."""
    return Sum(usd=hourly.usd * MONTH, unpriced=hourly.unpriced)
