"""Keeps the models of projects.

A model is never changed: its name is derived of its content, so that another content is another
model. What was stored for it goes with it, unless somebody may need it: another model, or a
document of the project that may be applied again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from parkade.domain import names
from parkade.domain.errors import Conflict, InUse, InvalidInput, ModelNotFound, ObjectNotFound
from parkade.domain.project import model as models
from parkade.domain.project.part import Kind
from parkade.domain.project.project import PROJECT_TAG
from parkade.services.deploying.tidying import needed
from parkade.services.projects.atonce import AtOnce
from parkade.services.projects.keeper import Condition

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from parkade.domain.catalog import Container, Model
    from parkade.domain.event import Json
    from parkade.domain.project.part import Part
    from parkade.domain.project.project import Project
    from parkade.ports.hosting import Hosting
    from parkade.ports.inventory import Inventory
    from parkade.ports.models import Models
    from parkade.ports.objects import Objects
    from parkade.services.deploying.desk import Desk
    from parkade.services.projects.keeper import Errand

#: The kind that tags of endpoint configs are kept by.
_CONFIG = "endpoint-config"
#: What clients call archives, below the project's prefix: by the digest of what is in them.
_ARCHIVE = re.compile(r"[0-9a-f]{64}\.tar\.gz")


class ModelKeeper(AtOnce):
    """The keeper of models.

    `documents` tells what of a project may be applied again; of one that is being destroyed,
    nothing.
    """

    kind = Kind.MODEL

    def __init__(
        self,
        shelf: Models,
        *,
        objects: Objects,
        catalog: Inventory,
        hosting: Hosting,
        desk: Desk,
        documents: Callable[[str], Iterable[Project]],
    ) -> None:
        self._shelf = shelf
        self._objects = objects
        self._catalog = catalog
        self._hosting = hosting
        self._desk = desk
        self._documents = documents

    def check(self, part: Part, project: Project) -> None:  # noqa: ARG002  the protocol's
        """Raise InvalidInput for one that can never be made here."""
        self._shelf.require_playable(self._wanted(part))

    def found(self, name: str) -> Mapping[str, Json] | None:
        """Return what the model is made of."""
        there = self._there(name)
        return None if there is None else models.told(there)

    def settled(
        self,
        part: Part,
        found: Mapping[str, Json] | None,  # noqa: ARG002  the protocol's
    ) -> Mapping[str, Json]:
        """Return the wanted content, with all that was left out."""
        return models.told(self._wanted(part))

    def put(self, part: Part, errand: Errand) -> None:
        """Make the model, unless it is there.

        Raises InvalidInput where its data is not stored, and Conflict for another model of its
        name.
        """
        wanted, there = self._wanted(part), self._there(part.name)
        tags = {PROJECT_TAG: errand.project}
        if there is None:
            for container in wanted.containers:
                self._require_data(container)
            self._shelf.make(wanted, tags, errand.actor)
            return
        if not models.alike(there, wanted):
            raise Conflict(
                f"there is a model {part.name!r} that is made of something else",
                hint=f"remove it, then apply again: parkade model rm {part.name}",
            )
        self._shelf.tag(part.name, {**self._shelf.tags(part.name), **tags})

    def remove(self, name: str, errand: Errand) -> None:
        """Remove the model, and what was stored for it alone.

        Raises InUse while an endpoint runs it, or is going to be started with it.
        """
        there = self._there(name)
        if there is None:
            return
        self._require_unused(name)
        self._forget_configs(name, errand)
        # First what is stored: the model tells what that is, should this be done again.
        self._forget_archives(there, errand.project)
        self._shelf.remove(name, errand.actor)

    def condition(self, part: Part) -> Condition:
        """Tell whether it is there, with its data."""
        there = self._there(part.name)
        if there is None:
            return Condition(state="missing", text="it is not there any more", troubled=True)
        for container in there.containers:
            try:
                self._require_data(container)
            except InvalidInput as error:
                return Condition(state="there", text=error.message, troubled=True)
        return Condition(state="there", text=", ".join(each.image for each in there.containers))

    def _wanted(self, part: Part) -> Model:
        return models.read(part, self._desk.now())

    def _there(self, name: str) -> Model | None:
        try:
            return self._shelf.get(name)
        except ModelNotFound:
            return None

    def _require_data(self, container: Container) -> None:
        """Raise InvalidInput where an archive is not there; what comes under a prefix may come yet."""
        if not container.data_url or container.multi_model:
            return
        bucket, key = names.s3_address(container.data_url)
        try:
            self._objects.stat(bucket, key)
        except ObjectNotFound as error:
            raise InvalidInput(
                f"{container.data_url} is not stored",
                field="data_url",
                hint="apply again from where the model's folder is; or store it there: parkade "
                f"model push FILE.tar.gz {container.data_url}",
            ) from error

    def _require_unused(self, name: str) -> None:
        """Raise InUse where the model is part of a config that is in use."""
        users = dict.fromkeys(needed(self._desk), "a lease or a booking")
        for seen in self._hosting.endpoints().values():
            users |= dict.fromkeys({seen.config_name, seen.target_config_name}, seen.name)
        for config in self._catalog.configs().records:
            if config.name in users and name in {each.model_name for each in config.every}:
                raise InUse(
                    f"model {name!r} stays: {users[config.name]} needs endpoint config "
                    f"{config.name!r}, which is made of it",
                    hint="do this again once that is over: it goes then",
                )

    def _forget_configs(self, name: str, errand: Errand) -> None:
        """Remove the project's former configs that are made of the model: none could start again."""
        tagged = self._catalog.tagged(_CONFIG).tags
        for config in self._catalog.configs().records:
            own = tagged.get(config.name, {}).get(PROJECT_TAG) == errand.project
            if own and name in {variant.model_name for variant in config.every}:
                self._desk.provisioner.remove_config(config.name, errand.actor)

    def _forget_archives(self, model: Model, prefix: str) -> None:
        """Delete what is stored for the model below the project's prefix, and nobody else needs.

        Once nothing of the project may be applied again, its earlier archives go as well.
        """
        documents = list(self._documents(prefix))
        kept = set(self._used(besides=model.name))
        kept |= {url for document in documents for url in _archives_of(document)}
        for url in _archives(model):
            bucket, key = names.s3_address(url)
            if not key.startswith(f"{prefix}/"):
                continue
            if url not in kept:
                self._objects.delete(bucket, key)
            if not documents:
                self._forget_earlier(bucket, prefix, kept)

    def _forget_earlier(self, bucket: str, prefix: str, kept: set[str]) -> None:
        for each in self._objects.ls(bucket, f"{prefix}/"):
            own = _ARCHIVE.fullmatch(each.key.removeprefix(f"{prefix}/"))
            if own and f"s3://{bucket}/{each.key}" not in kept:
                self._objects.delete(bucket, each.key)

    def _used(self, *, besides: str) -> Iterator[str]:
        """Go through the archives of other models. Raises Conflict where one cannot be read."""
        listing = self._shelf.all()
        for name, why in listing.unreadable.items():
            raise Conflict(f"model {name} may use the same archive, and cannot be read: {why}")
        for each in listing.records:
            if each.name != besides:
                yield from _archives(each)


def _archives(model: Model) -> Iterator[str]:
    return (each.data_url for each in model.containers if each.data_url and not each.multi_model)


def _archives_of(project: Project) -> Iterator[str]:
    """Go through the archives of a project's models."""
    for part in project.parts:
        if part.kind is Kind.MODEL:
            listed = part.content.get("containers") or [part.content]
            for each in listed if isinstance(listed, Sequence) else ():
                url = each.get("data_url") if isinstance(each, Mapping) else None
                if isinstance(url, str):
                    yield url
