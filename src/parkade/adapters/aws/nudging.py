"""Word to a function that something has changed: it is called, and nobody waits for it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from parkade.adapters.aws.functions import Later
from parkade.domain.errors import ParkadeError

if TYPE_CHECKING:
    from parkade.adapters.aws.account import Account

logger = logging.getLogger(__name__)


class Nudge:
    """Has a function called, by its name or ARN."""

    def __init__(self, account: Account, function: str) -> None:
        self._call = Later(account, function)

    def __call__(self) -> None:
        """Call it. That it could not be called is logged: it comes by itself every minute."""
        try:
            self._call({})
        except ParkadeError as error:
            logger.warning("the next minute's sweep does it: %s", error.message)
