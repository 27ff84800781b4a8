"""JumpStart ids, replaced by what stands behind them when the templates are made.

A template that was synthesized says which image and data are deployed, and two people who look at it
see the same. Where JumpStart cannot be asked, the file gives image and data itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from parkade.adapters.aws.account import Account
from parkade.adapters.aws.jumpstart import JumpStart, JumpStartModel
from parkade.domain.errors import InvalidInput, ParkadeError

if TYPE_CHECKING:
    from parkade.apps.projectfile.document import Document
    from parkade.apps.projectfile.models import ModelSetting

#: What stands between an id and the version that is wanted: `ID@2.*`.
_VERSION = "@"


class Catalog(Protocol):
    """Knows what stands behind ids."""

    def resolve(
        self, model_id: str, *, version: str = "*", instance_type: str = ""
    ) -> JumpStartModel:
        """Return what is to be deployed. Raises ParkadeError."""
        ...


def resolved(document: Document, catalog: Catalog | None = None) -> Document:
    """Return the document with image and data, or a package, beside each JumpStart id.

    Raises InvalidInput and Unavailable, which name the model.
    """
    asked = {key: model for key, model in document.models.items() if model.jumpstart}
    if not asked:
        return document
    known = catalog or JumpStart(Account(region=document.region, profile=document.profile))
    models = dict(document.models)
    for key, model in asked.items():
        models[key] = _resolved(key, model, known, _instance_type(document, key))
    return document.model_copy(update={"models": models})


def _resolved(key: str, model: ModelSetting, catalog: Catalog, instance_type: str) -> ModelSetting:
    model_id, _, version = (model.jumpstart or "").partition(_VERSION)
    try:
        found = catalog.resolve(model_id, version=version or "*", instance_type=instance_type)
    except InvalidInput as error:
        raise InvalidInput(
            f"model {key}: {error.message}", field=f"models.{key}.jumpstart", hint=error.hint
        ) from error
    except ParkadeError as error:
        raise type(error)(f"model {key}: {error.message}", hint=error.hint) from error
    if found.gated and not model.accept_eula:
        raise InvalidInput(
            f"model {key}: {model_id} is used under terms that have to be accepted",
            field=f"models.{key}.accept_eula",
            hint="read them in SageMaker's console, and give accept_eula: true",
        )
    if found.package:
        return model.model_copy(update={"package": found.package})
    return model.model_copy(
        update={
            "image": found.image,
            "data": found.data_url or None,
            "environment": {**found.environment, **model.environment},
            "isolated": found.isolated,
        }
    )


def _instance_type(document: Document, key: str) -> str:
    """Return the type of instance that the model is served on first; empty: its usual one."""
    return next(
        (
            each.type
            for endpoint in document.endpoints.values()
            for each in (*endpoint.variants, *endpoint.shadows)
            if each.model == key and each.type
        ),
        "",
    )
