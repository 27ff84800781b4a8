"""The keepers of a project's models and endpoints, and what they are wired to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.adapters.embedded.hosting import EmbeddedHosting
from parkade.adapters.embedded.models import EmbeddedModels
from parkade.apps.parts.upkeep import opting
from parkade.domain.errors import ProjectNotFound
from parkade.services.projects.endpointconditions import Conditions
from parkade.services.projects.endpointconfigs import Configs
from parkade.services.projects.endpoints import EndpointKeeper
from parkade.services.projects.models import ModelKeeper

if TYPE_CHECKING:
    from collections.abc import Sequence

    from parkade.apps.parts.projects import Ports
    from parkade.domain.project.project import Project
    from parkade.domain.project.record import Record
    from parkade.ports.projects import ProjectStore
    from parkade.services.projects.keeper import Keeper


def keepers(ports: Ports, store: ProjectStore) -> Sequence[Keeper]:
    """Return the keepers of models and of endpoints."""
    desk, deployer = ports.deploying.desk, ports.deploying.deployer

    def known(prefix: str) -> Record | None:
        try:
            return store.get(prefix)
        except ProjectNotFound:
            return None

    def documents(prefix: str) -> Sequence[Project]:
        record = known(prefix)
        return record.documents if record else ()

    def applied(prefix: str) -> Project | None:
        record = known(prefix)
        return record.applied if record else None

    models = ModelKeeper(
        EmbeddedModels(ports.host, ports.catalog, ports.changed),
        objects=ports.objects,
        catalog=ports.catalog,
        hosting=EmbeddedHosting(ports.host),
        desk=desk,
        documents=documents,
    )
    conditions = Conditions(
        deployer,
        expected=ports.upkeep.starts.expected,
        refusal=ports.upkeep.affording.refusal,
        now=desk.now,
    )
    endpoints = EndpointKeeper(
        desk,
        deployer,
        Configs(desk, ports.catalog),
        conditions,
        prices=ports.money.prices,
        opting=lambda: opting(ports.file()),
        applied=applied,
    )
    return models, endpoints
