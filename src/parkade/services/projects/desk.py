"""What planning a project, and applying it, works with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from parkade.ports.clock import Clock
    from parkade.ports.events import History
    from parkade.ports.notices import Notices
    from parkade.ports.projects import ProjectStore
    from parkade.services.projects.keepers import Keepers


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """The ports and services of projects."""

    store: ProjectStore
    keepers: Keepers
    history: History
    notices: Notices
    clock: Clock

    def now(self) -> datetime:
        """Return the instant, on the clock of leases."""
        return self.clock.now()
