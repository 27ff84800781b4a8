"""Tags of endpoints, from any door. They stay with a leased endpoint through stops and starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.domain import tags as rules
from parkade.domain.errors import EndpointNotFound, LeaseNotFound
from parkade.domain.event import Event
from parkade.services.maintainer import ENDPOINT

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from parkade.ports.clock import Clock
    from parkade.ports.events import History
    from parkade.ports.hosting import Hosting
    from parkade.ports.inventory import TagStore
    from parkade.ports.leases import LeaseBook


class Tagging:
    """Reads and changes the tags of what runs or is leased. `changed` is called after a change."""

    def __init__(
        self,
        *,
        catalog: TagStore,
        book: LeaseBook,
        hosting: Hosting,
        history: History,
        clock: Clock,
        changed: Callable[[], None],
    ) -> None:
        self._catalog = catalog
        self._book = book
        self._hosting = hosting
        self._history = history
        self._clock = clock
        self._changed = changed

    def get(self, endpoint_name: str) -> Mapping[str, str]:
        """Return the tags. Raises EndpointNotFound, or Unreadable."""
        self._require(endpoint_name)
        return self._catalog.tags(ENDPOINT, endpoint_name)

    def put(self, endpoint_name: str, tags: Mapping[str, str], *, actor: str) -> Mapping[str, str]:
        """Set tags, over those of the same keys; return all. Raises InvalidInput for unusable ones."""
        self._require(endpoint_name)
        before = self._catalog.tags(ENDPOINT, endpoint_name)
        return self._store(endpoint_name, before, rules.checked({**before, **tags}), actor)

    def remove(self, endpoint_name: str, keys: Collection[str], *, actor: str) -> Mapping[str, str]:
        """Take tags away; those that are not there count as taken. Return the rest."""
        self._require(endpoint_name)
        before = self._catalog.tags(ENDPOINT, endpoint_name)
        after = {key: value for key, value in before.items() if key not in keys}
        return self._store(endpoint_name, before, after, actor)

    def _store(
        self, name: str, before: Mapping[str, str], after: Mapping[str, str], actor: str
    ) -> Mapping[str, str]:
        if after == before:
            return before
        self._catalog.put_tags(ENDPOINT, name, after)
        self._history.append(
            Event(
                at=self._clock.now(),
                kind="tags.changed",
                actor=actor,
                reason=f"the tags of endpoint {name} were changed",
                endpoint_name=name,
                data={"kind": ENDPOINT, "name": name, "tags": dict(after)},
            )
        )
        self._changed()
        return after

    def _require(self, endpoint_name: str) -> None:
        if endpoint_name in self._hosting.endpoints():
            return
        try:
            self._book.get(endpoint_name)
        except LeaseNotFound as error:
            raise EndpointNotFound(
                f"there is no endpoint {endpoint_name!r}", hint="see what there is: parkade ls"
            ) from error
