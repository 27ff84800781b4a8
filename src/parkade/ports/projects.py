"""Projects and their applications, stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from parkade.domain.event import Event
    from parkade.domain.project.application import Application
    from parkade.domain.project.part import Ref
    from parkade.domain.project.record import Record
    from parkade.ports.catalog import Listing


class ProjectStore(Protocol):
    """Stores projects and applications with compare-and-set; what is written together is all there.

    Of one project one application is running at a time; each part is of one project alone. What
    neither a project nor an application holds any more is not kept: there may be secrets in it.
    Applications that are over stay, those of projects that were forgotten as well.
    """

    def get(self, prefix: str) -> Record:
        """Return the project. Raises ProjectNotFound, or Unreadable where it is damaged."""
        ...

    def all(self) -> Listing[Record]:
        """Return all projects by their prefix; those that cannot be read apart, by prefix."""
        ...

    def owners(self) -> Mapping[Ref, str]:
        """Return the prefix of the project that made each part; of damaged projects as well."""
        ...

    def application(self, application_id: str) -> Application:
        """Return the application. Raises ApplicationNotFound, or Unreadable."""
        ...

    def applications(self, prefix: str | None = None) -> Listing[Application]:
        """Return all applications, or those of one project, oldest first; others apart, by id."""
        ...

    def running(self) -> Listing[Application]:
        """Return those that are running, oldest first; apart those that cannot be read, by id."""
        ...

    def put(
        self, application: Application, record: Record | None = None, event: Event | None = None
    ) -> Application:
        """Store the application, with its project and an event where they are given.

        Each of them where its `version` (0: none) is still held; returns the application with its
        new one. Raises InUse where the application is new and another one of the project is
        running, naming it; or where a part of the record is of another project. Raises
        VersionConflict where another write came first. Nothing is stored then.
        """
        ...

    def close(self, application: Application, event: Event) -> Application:
        """Store the application, and forget its project, with all that is said to be made by it.

        Raises VersionConflict where another write came first, with nothing stored.
        """
        ...

    def remove(self, application_id: str, event: Event) -> None:
        """Remove an application, damaged or not. Raises ApplicationNotFound, with nothing written."""
        ...
