"""What goes with a lease that is removed: tags and terms; both are kept with what is left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.domain.errors import Unreadable
from parkade.services.maintainer import ENDPOINT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from parkade.domain.terms import Terms
    from parkade.ports.inventory import TagStore
    from parkade.ports.remains import RemainsStore
    from parkade.ports.terms import TermsStore


class Leaving:
    """Called with the name of a lease before it is removed; can be repeated.

    What of it cannot be read is not kept, and does not keep the lease from going.
    """

    def __init__(self, catalog: TagStore, terms: TermsStore, remains: RemainsStore) -> None:
        self._catalog = catalog
        self._terms = terms
        self._remains = remains

    def __call__(self, endpoint_name: str) -> None:
        """Keep terms and tags with the remains, and forget the tags."""
        self._remains.settle(
            endpoint_name, terms=self._settled(endpoint_name), tags=self._tags(endpoint_name)
        )
        self._catalog.put_tags(ENDPOINT, endpoint_name, {})

    def _settled(self, endpoint_name: str) -> Terms | None:
        try:
            return self._terms.get(endpoint_name)
        except Unreadable:
            return None

    def _tags(self, endpoint_name: str) -> Mapping[str, str]:
        try:
            return self._catalog.tags(ENDPOINT, endpoint_name)
        except Unreadable:
            return {}
