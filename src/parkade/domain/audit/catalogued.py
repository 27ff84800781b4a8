"""Checks of models, their data and endpoint configs: what is broken, and what nothing uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.domain.audit.finding import Finding, Kind, Mending

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from parkade.domain.audit.survey import Survey


def broken_configs(survey: Survey) -> Iterator[Finding]:
    """Find endpoint configs that name models which are gone: nothing can start from them."""
    if not survey.known("models"):
        return
    for name, config in survey.configs.items():
        named = {variant.model_name for variant in config.every} - {""}
        missing = sorted(named - survey.models.keys())
        if missing:
            yield Finding(
                kind=Kind.BROKEN_CONFIG,
                name=name,
                text=f"endpoint config {name} names {_models(missing)}, which "
                f"{'is' if len(missing) == 1 else 'are'} gone{_wanted_by(survey, name)}",
                hint=f"make it anew: parkade model create {missing[0]} --image IMAGE --data URL",
                since=config.created_at,
            )


def missing_data(survey: Survey) -> Iterator[Finding]:
    """Find models in configs whose data is not where they say."""
    if not survey.known("absent"):
        return
    told: set[str] = set()
    for name, container in survey.containers():
        if container.data_url in survey.absent and name not in told:
            told.add(name)
            yield Finding(
                kind=Kind.MISSING_DATA,
                name=name,
                text=f"the data of model {name} is not there: {container.data_url}"
                + _wanted_by(survey, *_configs_of(survey, name)),
                hint=f"parkade model push FILE {container.data_url}",
                since=survey.models[name].created_at,
            )


def not_undoable(survey: Survey) -> Iterator[Finding]:
    """Find endpoints that could be brought back, if the data of their models were still there."""
    if not survey.known("absent"):
        return
    for name, gone in survey.remains.items():
        if survey.exists(name):
            continue
        urls = {each.data_url for model in gone.blueprint.models for each in model.containers}
        missing = sorted(urls & survey.absent)
        if missing:
            yield Finding(
                kind=Kind.NOT_UNDOABLE,
                name=name,
                text=f"endpoint {name} was deleted, and could not start again: {missing[0]} is "
                "not there",
                hint=f"put it back before: parkade undo {name}",
                since=gone.removed_at,
            )


def unused_configs(survey: Survey) -> Iterator[Finding]:
    """Find endpoint configs that no endpoint, lease or booking names.

    Those that deployments have made stay with their endpoint, to go back to; the deployer removes
    them in its time. What a project made ready is for the meter to start.
    """
    needed = ("blueprints", "endpoints", "leases", "lease_terms", "booked", "deployments", "ready")
    if not survey.known(*needed):
        return
    used = _used_configs(survey)
    for name, config in survey.configs.items():
        if name not in used and not survey.exists(survey.deployed.get(name, "")):
            yield Finding(
                kind=Kind.UNUSED_CONFIG,
                name=name,
                text=f"no endpoint, lease or booking has the endpoint config {name}",
                hint=f"parkade config rm {name}",
                mending=Mending.FIX_UNUSED,
                mends="delete it",
                since=config.created_at,
            )


def unused_models(survey: Survey) -> Iterator[Finding]:
    """Find models that no endpoint config, endpoint or inference component names."""
    if not survey.known("blueprints", "configs", "components"):
        return
    used = {variant.model_name for config in survey.configs.values() for variant in config.every}
    used |= {component.model.name for component in survey.components.values()}
    used |= {
        model.name
        for blueprints in survey.blueprints.values()
        for blueprint in blueprints
        for model in blueprint.models
    }
    for name, model in survey.models.items():
        if name not in used:
            yield Finding(
                kind=Kind.UNUSED_MODEL,
                name=name,
                text=f"no endpoint config names the model {name}",
                hint=f"parkade model rm {name}",
                mending=Mending.FIX_UNUSED,
                mends="delete it; its data stays",
                since=model.created_at,
            )


def _used_configs(survey: Survey) -> set[str]:
    used = {lease.config_name for lease in survey.leases.values()}
    used |= {seen.config_name for seen in survey.endpoints.values()}
    used |= {seen.target_config_name for seen in survey.endpoints.values()}
    used |= {each.config.name for every in survey.blueprints.values() for each in every}
    used |= survey.deploying | survey.ready
    return used | {name for every in survey.booked.values() for name in every}


def _configs_of(survey: Survey, model_name: str) -> list[str]:
    return [
        name
        for name, config in survey.configs.items()
        if model_name in {variant.model_name for variant in config.every}
    ]


def _wanted_by(survey: Survey, *config_names: str) -> str:
    """Say which leases could not be started again."""
    leased = sorted(
        name for name, lease in survey.leases.items() if lease.config_name in config_names
    )
    return f"; {', '.join(leased)} could not start again" if leased else ""


def _models(names: Iterable[str]) -> str:
    several = list(names)
    return f"the model{'s' if len(several) > 1 else ''} {', '.join(several)}"
