"""What endpoints run on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from parkade.domain.cost import Instance
    from parkade.domain.price import Machine


class Machines(Protocol):
    """Knows the instances of endpoints, and those that they would have."""

    def wanted(self, endpoint_name: str, config_name: str) -> Sequence[Machine]:
        """Return what the endpoint runs on if it runs, else what it would with this config.

        Raises ConfigNotFound, or Unreadable.
        """
        ...

    def present(self) -> Sequence[Instance]:
        """Return every instance that exists, those that start or stop included.

        Raises Unavailable where not all can be seen.
        """
        ...

    def host_of(self, endpoint_name: str, name: str) -> str:
        """Return the variant that an inference component of this name runs on; a variant, itself."""
        ...
