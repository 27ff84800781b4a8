"""The endpoint configs of a project's endpoints: made where no deployment does, found, removed.

Those that are made here say by a tag which endpoint they are for. Of an endpoint that is neither
leased nor there, one is the current one: it is how the endpoint stands, until the meter starts it.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from parkade.domain.deploy import naming
from parkade.domain.errors import AlreadyExists, InUse, Unreadable
from parkade.domain.project.endpoint import tags_of
from parkade.domain.project.project import PROJECT_TAG
from parkade.services.deploying.configs import models_of
from parkade.services.deploying.tidying import needed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from parkade.domain.blueprint import Blueprint
    from parkade.domain.catalog import EndpointConfig
    from parkade.domain.project.endpoint import Wanted
    from parkade.ports.inventory import TagStore
    from parkade.services.deploying.desk import Desk
    from parkade.services.projects.keeper import Errand

logger = logging.getLogger(__name__)

#: The kind that tags are kept by.
_KIND = "endpoint-config"
#: Which endpoint a config was made for, and that it is the current one.
FOR, CURRENT = "parkade:endpoint", "parkade:current"
_YES = "true"


def ready(catalog: TagStore) -> frozenset[str]:
    """Return the names of the configs that are current. Raises Unreadable."""
    return frozenset(name for name, tags in _tagged(catalog).items() if CURRENT in tags)


class Configs:
    """Makes, finds and removes the endpoint configs of a project's endpoints."""

    def __init__(self, desk: Desk, catalog: TagStore) -> None:
        self._desk = desk
        self._catalog = catalog

    def current(self, endpoint_name: str) -> tuple[EndpointConfig, Mapping[str, str]] | None:
        """Return the config that an endpoint is made ready as, with its tags; None: none is."""
        for name, tags in self._tagged().items():
            if tags.get(FOR) == endpoint_name and CURRENT in tags:
                config = self._desk.config(name)
                if config is not None:
                    return config, {k: v for k, v in tags.items() if k not in {FOR, CURRENT}}
        return None

    def make(self, wanted: Wanted, former: Blueprint | None, errand: Errand) -> EndpointConfig:
        """Make the config that is wanted, unless it is there. Raises AlreadyExists and InvalidInput.

        Raises ModelNotFound where a model of it is not there.
        """
        order = wanted.order
        held_config = former.config if former else None
        variants = (*order.variants, *naming.wanted_shadows(order, held_config))
        models = models_of(variants, self._desk)
        config = naming.wanted_config(order, models, former, self._desk.now())
        held = self._desk.config(config.name)
        if held is not None and not naming.alike(held, config):
            raise AlreadyExists(
                f"endpoint config {config.name!r} is there and says something else",
                hint="delete it, then apply again",
            )
        marks = {PROJECT_TAG: errand.project, FOR: order.endpoint_name}
        if held is None:
            tags = {**order.all_tags, **marks}
            self._desk.provisioner.make_config(config, tags, errand.actor)
            return config
        tags = {**tags_of(wanted, self._tagged().get(held.name, {})), **marks}
        self._catalog.put_tags(_KIND, held.name, tags)
        return held

    def make_current(self, endpoint_name: str, config_name: str) -> None:
        """Have this config be how the endpoint is made ready, and no other one."""
        tagged = self._tagged()
        for name, tags in tagged.items():
            if tags.get(FOR) == endpoint_name and CURRENT in tags and name != config_name:
                self._catalog.put_tags(_KIND, name, {k: v for k, v in tags.items() if k != CURRENT})
        held = tagged.get(config_name, {})
        self._catalog.put_tags(_KIND, config_name, {**held, CURRENT: _YES})

    def forget_former(self, endpoint_name: str, keep: str, errand: Errand) -> None:
        """Remove the configs that were made here for the endpoint and that nothing needs."""
        made = {name for name, tags in self._tagged().items() if tags.get(FOR) == endpoint_name}
        self._remove(made - {keep}, errand)

    def forget_all(self, endpoint_name: str, errand: Errand) -> None:
        """Remove the configs that the project made for the endpoint, deployments of it as well."""
        tagged = self._tagged()
        made = {name for name, tags in tagged.items() if tags.get(FOR) == endpoint_name}
        for deployment in self._desk.deployments.all(endpoint_name).records:
            name = deployment.config_name
            if deployment.made_config and tagged.get(name, {}).get(PROJECT_TAG) == errand.project:
                made.add(name)
        self._remove(made, errand)

    def _remove(self, made: set[str], errand: Errand) -> None:
        for name in sorted(made - needed(self._desk)):
            try:
                self._desk.provisioner.remove_config(name, errand.actor)
            except InUse as error:
                # Another endpoint runs it, or this one until it was updated: it goes another time.
                logger.info("%s stays: %s", name, error.message)

    def _tagged(self) -> Mapping[str, Mapping[str, str]]:
        return _tagged(self._catalog)


def _tagged(catalog: TagStore) -> Mapping[str, Mapping[str, str]]:
    """Return the tags of all configs. Raises Unreadable where some cannot be read."""
    tagged = catalog.tagged(_KIND)
    for name, why in tagged.unreadable.items():
        raise Unreadable(f"the tags of endpoint config {name!r} cannot be read: {why}")
    return tagged.tags
