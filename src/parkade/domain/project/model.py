"""Models of a project: their content read into a model, and written again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.domain.catalog import Container, Model
from parkade.domain.deploy.reading import Section
from parkade.domain.errors import InvalidInput

if TYPE_CHECKING:
    from datetime import datetime

    from parkade.domain.event import Json
    from parkade.domain.project.part import Part

#: What there is on AWS alone.
AWS_ALONE = ("jumpstart", "package")
_CONTAINER_KEYS = frozenset({"image", "data_url", "environment", "hostname"})
_MANY_KEYS = frozenset({"multi_model", "caches"})
_KEYS = _CONTAINER_KEYS | _MANY_KEYS | {"containers", "direct", *AWS_ALONE}


def read(part: Part, now: datetime) -> Model:
    """Return the model that a part wants. Raises InvalidInput for one that cannot be here."""
    given = Section(part.content, "", _KEYS, noun="model")
    for key in AWS_ALONE:
        if given.has(key):
            raise InvalidInput(
                f"model {part.key!r}: {key} is on AWS alone",
                field=key,
                hint="say what plays it on one machine: give image, and source or data; or leave "
                "it out there with embedded: false",
            )
    if given.has("containers"):
        for key in (*_CONTAINER_KEYS, *_MANY_KEYS):
            if given.has(key):
                raise InvalidInput(
                    f"model {part.key!r}: {key} is given beside containers",
                    field=key,
                    hint="give it with each of the containers",
                )
        containers = tuple(
            _container(each) for each in given.sections("containers", _CONTAINER_KEYS)
        )
    else:
        containers = (_container(given),)
    return Model(
        name=part.name,
        containers=containers,
        created_at=now,
        direct=given.flag("direct", default=False),
    )


def _container(given: Section) -> Container:
    return Container(
        image=given.text("image"),
        data_url=given.text("data_url", ""),
        environment=given.texts_by_key("environment"),
        hostname=given.text("hostname", ""),
        multi_model=given.flag("multi_model", default=False),
        caches=given.flag("caches", default=True),
    )


def told(model: Model) -> dict[str, Json]:
    """Write a model as the content of a part, with all that was left out."""
    if len(model.containers) > 1:
        return {
            "containers": [
                {**_told(each), "hostname": each.hostname or None} for each in model.containers
            ],
            "direct": model.direct,
        }
    content = _told(model.primary)
    if model.primary.hostname:
        content["hostname"] = model.primary.hostname
    if model.primary.multi_model:
        content |= {"multi_model": True, "caches": model.primary.caches}
    return content


def _told(container: Container) -> dict[str, Json]:
    return {
        "image": container.image,
        "data_url": container.data_url,
        "environment": dict(container.environment),
    }


def alike(one: Model, other: Model) -> bool:
    """Tell whether two models are the same, whenever they were made."""
    return told(one) == told(other)
