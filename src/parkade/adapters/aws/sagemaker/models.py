"""The models port over SageMaker."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from parkade.adapters.aws.refusals import calling
from parkade.adapters.aws.sagemaker.arns import MODEL
from parkade.adapters.aws.sagemaker.forms import models
from parkade.adapters.aws.sagemaker.meanings import meaning
from parkade.adapters.aws.sagemaker.repeats import repeated
from parkade.adapters.aws.sagemaker.tags import listed
from parkade.domain.errors import AlreadyExists, InvalidInput, ModelNotFound
from parkade.domain.event import Event

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from parkade.adapters.aws.account import Account
    from parkade.adapters.aws.sagemaker.shelf import Shelf
    from parkade.adapters.aws.sagemaker.tags import Tags
    from parkade.domain.catalog import Model
    from parkade.ports.catalog import Listing
    from parkade.ports.clock import Clock
    from parkade.ports.events import History

#: The address of an image in a registry, or the ARN of a model package.
_ADDRESS = re.compile(r"[^/\s]+\.[^/\s]+/\S+|arn:aws[a-z-]*:sagemaker:\S+:model-package/\S+")


def require_address(image: str) -> None:
    """Raise InvalidInput for what names no image that SageMaker could pull."""
    if not _ADDRESS.fullmatch(image):
        raise InvalidInput(
            f"Image {image!r} is neither the address of an image in a registry nor a model package",
            field="Image",
            hint="write ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME:TAG; short names are images of "
            "the embedded cloud",
        )


class SageMakerModels:
    """The models port. `playable` raises InvalidInput for an image that nothing there plays."""

    def __init__(
        self,
        account: Account,
        *,
        shelf: Shelf,
        tags: Tags,
        history: History,
        clock: Clock,
        playable: Callable[[str], None] = require_address,
    ) -> None:
        self._account = account
        self._shelf = shelf
        self._tags = tags
        self._history = history
        self._clock = clock
        self._playable = playable

    def get(self, name: str) -> Model:
        """Return the model."""
        return self._shelf.model(name)

    def all(self) -> Listing[Model]:
        """Return every model: a list of a hundred a call, and a call for each model."""
        return self._shelf.models()

    def require_playable(self, model: Model) -> None:
        """Raise InvalidInput for an image that SageMaker could not pull."""
        for container in model.containers:
            self._playable(container.image)

    def make(self, model: Model, tags: Mapping[str, str], actor: str) -> None:
        """Make the model, with its tags; its role is its own, or that of all models."""
        self.require_playable(model)
        form = models.asked(model)
        if self._shelf.role_arn:
            form.setdefault("ExecutionRoleArn", self._shelf.role_arn)
        try:
            with calling(f"model {model.name!r} cannot be made", meaning):
                self._account.client("sagemaker").create_model(**form, Tags=listed(tags))
        except AlreadyExists as error:
            if not (repeated(error) and self._is(model)):
                raise
        described = ", ".join(container.image for container in model.containers)
        reason = f"model {model.name} was created from {described}"
        self._tell("model.created", actor, reason, model.name)

    def remove(self, name: str, actor: str) -> None:
        """Remove the model; its tags go with it."""
        try:
            with calling(f"model {name!r} cannot be removed", meaning):
                self._account.client("sagemaker").delete_model(ModelName=name)
        except ModelNotFound:
            return
        self._tell("model.deleted", actor, f"model {name} was deleted", name)

    def tags(self, name: str) -> Mapping[str, str]:
        """Return the tags of the model; none where it is gone."""
        return self._tags.of(MODEL, name)

    def tag(self, name: str, tags: Mapping[str, str]) -> None:
        """Give the model these tags and no others."""
        self._tags.put(MODEL, name, tags)

    def _is(self, model: Model) -> bool:
        held = self._shelf.model(model.name)
        return replace(held, created_at=model.created_at) == model

    def _tell(self, kind: str, actor: str, reason: str, name: str) -> None:
        at = self._clock.now()
        self._history.append(
            Event(at=at, kind=kind, actor=actor, reason=reason, data={"name": name})
        )
