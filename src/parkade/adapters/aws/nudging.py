"""Word to a function that something has changed: it is called, and nobody waits for it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from parkade.adapters.aws.refusals import calling
from parkade.domain.errors import ParkadeError

if TYPE_CHECKING:
    from parkade.adapters.aws.account import Account

logger = logging.getLogger(__name__)


class Nudge:
    """Calls a function asynchronously, by its name."""

    def __init__(self, account: Account, function: str) -> None:
        self._account = account
        self._function = function

    def __call__(self) -> None:
        """Call it. That it could not be called is logged: it comes by itself every minute."""
        try:
            with calling(f"function {self._function} cannot be called"):
                self._account.client("lambda").invoke(
                    FunctionName=self._function, InvocationType="Event", Payload=b"{}"
                )
        except ParkadeError as error:
            logger.warning("the next minute's sweep does it: %s", error.message)
