"""Models and endpoint configs of an account, made and removed when people say so."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from parkade.domain.catalog import EndpointConfig, Model
    from parkade.ports.catalog import Listing
    from parkade.ports.inventory import Inventory
    from parkade.ports.models import Models
    from parkade.ports.provisioner import Provisioner


class AccountWorkshop:
    """Makes and removes with the adapters that deployments and projects use."""

    def __init__(self, inventory: Inventory, models: Models, provisioner: Provisioner) -> None:
        self._inventory = inventory
        self._models = models
        self._provisioner = provisioner

    def model(self, name: str) -> Model:
        """Return the model."""
        return self._inventory.model(name)

    def models(self) -> Listing[Model]:
        """Return every model in the order of names; each is described by a call of its own."""
        return self._inventory.models()

    def create_model(self, model: Model, actor: str) -> None:
        """Make the model."""
        self._models.make(model, {}, actor)

    def delete_model(self, name: str, actor: str) -> None:
        """Remove the model."""
        self._inventory.model(name)  # what was never there is told apart from what is gone
        self._models.remove(name, actor)

    def config(self, name: str) -> EndpointConfig:
        """Return the endpoint config."""
        return self._inventory.config(name)

    def configs(self) -> Listing[EndpointConfig]:
        """Return every endpoint config in the order of names; each is described by a call."""
        return self._inventory.configs()

    def create_config(self, config: EndpointConfig, actor: str) -> None:
        """Make the endpoint config."""
        config.require_initial()
        self._provisioner.make_config(config, {}, actor)

    def delete_config(self, name: str, actor: str) -> None:
        """Remove the endpoint config."""
        self._inventory.config(name)
        self._provisioner.remove_config(name, actor)
