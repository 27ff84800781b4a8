"""The models port over the embedded host; for its event loop only."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from parkade.domain.errors import ModelNotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from parkade.domain.catalog import Model
    from parkade.ports.catalog import CatalogStore, Listing
    from parkade.runtime.host import Host

#: The kind that tags are kept by.
_MODEL = "model"


class EmbeddedModels:
    """The models port. `changed` is called after every write."""

    def __init__(self, host: Host, catalog: CatalogStore, changed: Callable[[], None]) -> None:
        self._host = host
        self._catalog = catalog
        self._changed = changed

    def get(self, name: str) -> Model:
        """Return the model."""
        return self._host.model(name)

    def all(self) -> Listing[Model]:
        """Return every model."""
        return self._host.models()

    def require_playable(self, model: Model) -> None:
        """Raise InvalidInput for a model with an image that nothing here plays."""
        self._host.require_playable(model)

    def make(self, model: Model, tags: Mapping[str, str], actor: str) -> None:
        """Make the model, with its tags."""
        self._host.create_model(model, actor)
        self.tag(model.name, tags)

    def remove(self, name: str, actor: str) -> None:
        """Remove the model and its tags."""
        with suppress(ModelNotFound):
            self._host.delete_model(name, actor)
        self.tag(name, {})

    def tags(self, name: str) -> Mapping[str, str]:
        """Return the tags of the model."""
        return self._catalog.tags(_MODEL, name)

    def tag(self, name: str, tags: Mapping[str, str]) -> None:
        """Give the model these tags and no others."""
        self._catalog.put_tags(_MODEL, name, tags)
        self._changed()
