"""A document laid out: the domain's project, with one part for each thing of the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.apps.projectfile import alarmlayout, clouds, endpointlayout
from parkade.apps.projectfile.document import references
from parkade.apps.projectfile.problem import refusal
from parkade.apps.projectfile.references import Reference
from parkade.domain import price
from parkade.domain.project.part import Kind, Part, derived_name
from parkade.domain.project.project import Limits, Project

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from parkade.apps.projectfile.document import Document
    from parkade.apps.projectfile.models import Data, ModelSetting
    from parkade.domain.event import Json


def project_of(document: Document) -> Project:
    """Return the project as this server, which is embedded, has it.

    Raises InvalidInput for models that are on AWS alone, and for secrets whose values are missing.
    """
    here, _ = clouds.embedded(document)
    refused = clouds.refused(here)
    if refused:
        raise refusal(refused)
    return _laid_out(document, here)


def project_on_aws(document: Document) -> Project:
    """Return the project as an AWS account has it: with JumpStart models and model packages.

    Secrets are the references by which CloudFormation looks them up itself. Raises InvalidInput for
    what only one machine can do, and for secrets of models that are not kept by AWS.
    """
    refused = clouds.refused_on_aws(document)
    if refused:
        raise refusal(refused)
    kept = {
        str(each): f"{{{{resolve:secretsmanager:{each.aws_secret}}}}}"
        for _, each in references(document)
        if each.aws_secret is not None
    }
    filled = document.model_copy(update={"secrets": {**document.secrets, **kept}})
    return _laid_out(filled, filled)


def _laid_out(document: Document, here: Document) -> Project:
    models = {key: _model(here, key, model) for key, model in here.models.items()}
    names = {key: part.name for key, part in models.items()}
    parts = (
        *models.values(),
        *_budgets(here),
        *alarmlayout.subscribers(here),
        *alarmlayout.alarms(here),
        *endpointlayout.endpoints(here, names),
        *_routes(here),
        *_testers(here),
    )
    limits = document.limits
    return Project(
        name=document.project,
        stage=document.stage or "",
        parts=parts,
        document=document.remembered(),
        prices={name: price.amount(hourly) for name, hourly in document.prices.items()},
        limits=Limits(
            hourly=None if limits.hourly is None else price.amount(limits.hourly),
            instances=limits.instances,
        ),
    )


def _model(document: Document, key: str, model: ModelSetting) -> Part:
    content: dict[str, Json] = _container(document, model)
    secret = {f"environment.{name}" for name in _secret_names(model)}
    if model.containers:
        content = {
            "containers": [
                {**_container(document, each), "hostname": each.hostname or ""}
                for each in model.containers
            ]
        }
        secret = {
            f"containers.{number}.environment.{name}"
            for number, each in enumerate(model.containers)
            for name in _secret_names(each)
        }
        if model.direct:
            content["direct"] = True
    if model.multi_model:
        content |= {"multi_model": True, "caches": model.caches}
    content |= _of_aws(model)
    return Part(
        kind=Kind.MODEL,
        name=derived_name(f"{document.prefix}-{key}", content),
        key=key,
        content=content,
        secret=frozenset(secret),
    )


def _of_aws(model: ModelSetting) -> dict[str, Json]:
    """Return what of a model there is on AWS alone; one machine has none of it by now."""
    told: dict[str, Json] = {
        "jumpstart": model.jumpstart,
        "package": model.package,
        "accept_eula": model.accept_eula,
        "isolated": model.isolated,
    }
    return {name: value for name, value in told.items() if value}


def _container(document: Document, data: Data) -> dict[str, Json]:
    return {
        "image": getattr(data, "image", None) or "",
        "data_url": data.data or "",
        "environment": {
            name: document.value(value) for name, value in sorted(data.environment.items())
        },
    }


def _secret_names(data: Data) -> list[str]:
    return [name for name, value in data.environment.items() if isinstance(value, Reference)]


def _budgets(document: Document) -> Iterator[Part]:
    budget = document.limits.budget
    if budget is None:
        return
    owner = budget.owner or document.prefix
    content: dict[str, Json] = {
        "usd": str(price.amount(budget.amount)),
        "per": budget.per,
        "then": budget.then,
        "zone": budget.zone,
    }
    yield Part(kind=Kind.BUDGET, name=owner, key="budget", content=content)


def _routes(document: Document) -> Iterator[Part]:
    for path, route in document.routes.items():
        content: Mapping[str, Json] = {
            "endpoint_name": f"{document.prefix}-{route.endpoint}",
            "public": route.auth == "public",
            "rate": route.rate.model_dump() if route.rate else None,
            "timeout_seconds": route.timeout_seconds,
            "sticky": route.sticky.model_dump(exclude_none=True) if route.sticky else None,
            "project": document.prefix,
        }
        yield Part(kind=Kind.ROUTE, name=path, key=path, content=content)


def _testers(document: Document) -> Iterator[Part]:
    tester = document.tester
    if tester is None or isinstance(tester.cases, str):
        return
    content: Mapping[str, Json] = {
        "project": document.project,
        "stage": document.stage or "",
        "route": tester.route,
        "endpoint_name": f"{document.prefix}-{tester.endpoint}" if tester.endpoint else None,
        "cases": tester.cases,
        "clients": tester.clients,
        "interval_seconds": tester.interval_seconds,
        "duration_seconds": tester.duration_seconds,
        "schedule": tester.schedule,
        "timezone": tester.timezone,
    }
    # Its token is for who runs it from outside: the server asks as Parkade's own.
    yield Part(kind=Kind.TESTER, name=f"{document.prefix}-tester", key="tester", content=content)
