"""CONFIG and CLEAN_UP: the endpoint config that is to serve is made, or removed again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from parkade.domain.blueprint import Blueprint
from parkade.domain.deploy import naming
from parkade.domain.endpoint import TRANSIENT
from parkade.domain.errors import AlreadyExists, EndpointNotFound, InUse
from parkade.services.deploying.results import Ended, Noted, Waits, skipped, undone_in_part
from parkade.services.deploying.tidying import needed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from parkade.domain.catalog import EndpointConfig, Model, Variant
    from parkade.domain.deploy.deployment import Deployment
    from parkade.domain.deploy.order import Order
    from parkade.services.deploying.desk import Desk


def make(deployment: Deployment, desk: Desk) -> Ended | Noted:
    """Make the endpoint config, unless the endpoint runs what it says, or it is there already."""
    if deployment.config is None:
        return _choose(deployment, desk)
    config = deployment.config
    if not deployment.made_config:
        return skipped(deployment, f"endpoint config {config.name} is there already")
    if desk.config(config.name) is None:
        tags = deployment.order.all_tags
        desk.provisioner.make_config(config, tags, deployment.actor)
    return Ended(deployment=deployment, text=f"endpoint config {config.name} was made")


def _choose(deployment: Deployment, desk: Desk) -> Noted:
    """Say which config it is to be; whether it will be made here is stored before it is."""
    former = None
    if not deployment.creates:
        former = blueprint_of(deployment.endpoint_name, desk)
    config = wanted(deployment.order, former, desk)
    if former is not None and naming.runs(former, config, models_of(config.every, desk)):
        return Noted(deployment=replace(deployment, config=former.config))
    held = desk.config(config.name)
    if held is not None and not naming.alike(held, config):
        raise AlreadyExists(
            f"endpoint config {config.name!r} is there and says something else",
            hint="delete it, then deploy again",
        )
    made = held is None
    return Noted(deployment=replace(deployment, config=held or config, made_config=made))


def wanted(order: Order, former: Blueprint | None, desk: Desk) -> EndpointConfig:
    """Return the config that is to serve. Raises ModelNotFound and InvalidInput."""
    variants = (*order.variants, *naming.wanted_shadows(order, former.config if former else None))
    models = tuple(models_of(variants, desk))
    config = naming.wanted_config(order, models, former, desk.now())
    Blueprint(config=config, models=models)  # raises what does not go with multi-model endpoints
    return config


def models_of(variants: Sequence[Variant], desk: Desk) -> Sequence[Model]:
    """Return the models that the variants name. Raises ModelNotFound."""
    named = dict.fromkeys(variant.model_name for variant in variants)
    return tuple(desk.provisioner.model(name) for name in named)


def same_fleet(former: Blueprint, config: EndpointConfig, desk: Desk) -> bool:
    """Tell whether what serves can run the config by a change of weights and counts alone."""
    models = tuple(models_of(config.every, desk))
    return former.same_fleet(Blueprint(config=config, models=models))


def blueprint_of(endpoint_name: str, desk: Desk) -> Blueprint:
    """Return what the endpoint runs. Raises EndpointNotFound."""
    present = desk.provisioner.look(endpoint_name)
    if present is None:
        raise EndpointNotFound(
            f"endpoint {endpoint_name!r} went while it was deployed to", hint="deploy again"
        )
    return present.blueprint


def clean_up(deployment: Deployment, desk: Desk) -> Ended | Waits:
    """Undo: remove the config that was made; while its endpoint lets go of it, that is waited for."""
    name = deployment.config_name
    if not deployment.made_config:
        return skipped(deployment, "no endpoint config was made")
    if name in needed(desk):
        return undone_in_part(deployment, f"endpoint config {name} stays: it is needed")
    try:
        desk.provisioner.remove_config(name, deployment.actor)
    except InUse as error:
        present = desk.provisioner.look(deployment.endpoint_name)
        if present is not None and present.observed.status in TRANSIENT:
            return Waits(text=error.message)
        return undone_in_part(deployment, error.message)
    return Ended(deployment=deployment, text=f"endpoint config {name} was removed")
