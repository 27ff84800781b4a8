"""What is too old is forgotten once a day, so that the tables do not grow with the years."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from parkade.domain.errors import ParkadeError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

logger = logging.getLogger(__name__)

#: The minute of a day in which it is done; a day that is missed is made up for.
_AT = (3, 17)


class Tidying:
    """Forgets what is too old."""

    def __init__(self, forgetting: Mapping[str, Callable[[datetime], None]]) -> None:
        """Take what is called with the time it is, by what is told of it where it fails."""
        self._forgetting = forgetting

    def __call__(self, now: datetime) -> None:
        """Forget in that minute of the day. What cannot be forgotten costs room, and is due again."""
        if (now.hour, now.minute) != _AT:
            return
        for what, forget in self._forgetting.items():
            try:
                forget(now)
            except ParkadeError as error:
                logger.warning("%s is not forgotten: %s", what, error)
