"""Functions of Lambda, called without waiting for what comes of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from parkade.adapters.aws.refusals import calling

if TYPE_CHECKING:
    from collections.abc import Mapping

    from parkade.adapters.aws.account import Account


class Later:
    """Has one function called with an event, as soon as it can be.

    Lambda keeps the event for as long as the function's concurrency is used up.
    """

    def __init__(self, account: Account, function: str) -> None:
        """Take the function's name or ARN."""
        self._account = account
        self._function = function

    def __call__(self, event: Mapping[str, Any]) -> None:
        """Have it called. Raises what `calling` raises."""
        with calling(f"function {self._function} cannot be called"):
            self._account.client("lambda").invoke(
                FunctionName=self._function,
                InvocationType="Event",
                Payload=json.dumps(event).encode(),
            )
