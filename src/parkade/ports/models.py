"""Models: what endpoint configs are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from parkade.domain.catalog import Model
    from parkade.ports.catalog import Listing


class Models(Protocol):
    """Makes and removes models; none is ever changed."""

    def get(self, name: str) -> Model:
        """Return the model. Raises ModelNotFound or Unreadable."""
        ...

    def all(self) -> Listing[Model]:
        """Return every model in the order of names, and why others cannot be read."""
        ...

    def require_playable(self, model: Model) -> None:
        """Raise InvalidInput for a model with an image that nothing here plays."""
        ...

    def make(self, model: Model, tags: Mapping[str, str], actor: str) -> None:
        """Make the model, with its tags. Raises AlreadyExists, and what `require_playable` raises."""
        ...

    def remove(self, name: str, actor: str) -> None:
        """Remove the model and its tags; one that is gone counts as done.

        Endpoints that run it go on with what they have of it.
        """
        ...

    def tags(self, name: str) -> Mapping[str, str]:
        """Return the tags of the model; none where there are none."""
        ...

    def tag(self, name: str, tags: Mapping[str, str]) -> None:
        """Give the model these tags and no others."""
        ...
