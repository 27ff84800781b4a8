"""Models over a catalog in memory; every image is played but those that are told not to be."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from parkade.domain.errors import InvalidInput, ModelNotFound
from parkade.domain.event import Event

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from parkade.domain.catalog import Model
    from parkade.ports.catalog import CatalogStore, Listing
    from parkade.ports.clock import Clock

_MODEL = "model"


class MemoryModels:
    """The models port. `unknown` are images that nothing plays."""

    def __init__(
        self, catalog: CatalogStore, clock: Clock, *, unknown: Collection[str] = ()
    ) -> None:
        self._catalog = catalog
        self._clock = clock
        self._unknown = unknown

    def get(self, name: str) -> Model:
        """Return the model."""
        return self._catalog.model(name)

    def all(self) -> Listing[Model]:
        """Return every model."""
        return self._catalog.models()

    def require_playable(self, model: Model) -> None:
        """Raise InvalidInput for a model with an image that nothing plays."""
        for container in model.containers:
            if container.image in self._unknown:
                raise InvalidInput(f"Image {container.image!r} is not known", field="Image")

    def make(self, model: Model, tags: Mapping[str, str], actor: str) -> None:
        """Make the model, with its tags."""
        self.require_playable(model)
        self._catalog.add_model(model, self._event("model.created", actor, model.name))
        self.tag(model.name, tags)

    def remove(self, name: str, actor: str) -> None:
        """Remove the model and its tags."""
        with suppress(ModelNotFound):
            self._catalog.remove_model(name, self._event("model.deleted", actor, name))
        self.tag(name, {})

    def tags(self, name: str) -> Mapping[str, str]:
        """Return the tags of the model."""
        return self._catalog.tags(_MODEL, name)

    def tag(self, name: str, tags: Mapping[str, str]) -> None:
        """Give the model these tags and no others."""
        self._catalog.put_tags(_MODEL, name, tags)

    def _event(self, kind: str, actor: str, name: str) -> Event:
        return Event(at=self._clock.now(), kind=kind, actor=actor, reason=kind, data={"name": name})
