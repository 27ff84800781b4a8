"""How endpoints are used: what idleness is decided on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from parkade.domain.idle import Use


class Usage(Protocol):
    """Knows the invocations of every variant and inference component."""

    def uses(self, endpoint_names: Iterable[str], now: datetime) -> Mapping[str, Use]:
        """Return how each of these endpoints is used, as of `now`.

        Never raises: what cannot be read, is missing, has a hole or is stale is told as unknown in
        the `Use`, with the reason. Variants and components are those that hosting has now.
        """
        ...
