"""What the server remembers of a project: its documents, and which parts it made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime  # noqa: TC003  stores read these forms by their annotations
from typing import TYPE_CHECKING

from parkade.domain.project.part import Ref  # noqa: TC001
from parkade.domain.project.project import Project  # noqa: TC001

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A part that the project has made, or was about to make when it was written down."""

    ref: Ref
    #: What it is called in the file.
    key: str
    #: The application that did it last.
    application: str
    #: The fingerprint of the content that was made last; empty: it has not come to its end.
    content: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One project on this server."""

    prefix: str
    name: str
    stage: str
    #: What the last application is to make, however it went; None: it is being destroyed.
    wanted: Project | None
    #: What was wholly made last; None: nothing was yet.
    applied: Project | None = None
    #: What was wholly made before that.
    former: Project | None = None
    #: Written down before they are made, so that nothing is there that nobody owns.
    made: tuple[Made, ...] = ()
    #: The last application, and the one that made `applied`.
    application: str = ""
    applied_by: str = ""
    applied_at: datetime | None = None
    #: Counts writes.
    version: int = 0

    @property
    def before(self) -> Project | None:
        """What rolling back leads to: the last project that stood and is not wanted now."""
        return self.former if self.applied == self.wanted else self.applied

    @property
    def documents(self) -> tuple[Project, ...]:
        """What may be applied again, by whoever rolls back; nothing while it is being destroyed."""
        if self.wanted is None:
            return ()
        return tuple(each for each in (self.wanted, self.applied, self.former) if each is not None)

    def find(self, ref: Ref) -> Made | None:
        """Return what is written down of a part, if the project made it."""
        return next((each for each in self.made if each.ref == ref), None)

    def with_made(self, made: Made) -> tuple[Made, ...]:
        """Return what was made, with this one as it is now, in its place."""
        if self.find(made.ref) is None:
            return (*self.made, made)
        return tuple(made if each.ref == made.ref else each for each in self.made)

    def without(self, refs: Iterable[Ref]) -> tuple[Made, ...]:
        """Return what was made, without these."""
        gone = set(refs)
        return tuple(each for each in self.made if each.ref not in gone)
