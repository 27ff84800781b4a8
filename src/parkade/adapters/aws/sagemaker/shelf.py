"""Models and endpoint configs as SageMaker describes them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from parkade.adapters.aws.refusals import calling
from parkade.adapters.aws.sagemaker.describing import PAGE, described
from parkade.adapters.aws.sagemaker.forms import configs, models
from parkade.adapters.aws.sagemaker.meanings import meaning
from parkade.domain.blueprint import Blueprint
from parkade.domain.errors import InvalidInput, NotFound, Unreadable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from parkade.adapters.aws.account import Account
    from parkade.domain.catalog import EndpointConfig, Model
    from parkade.ports.catalog import Listing

_Record = TypeVar("_Record")
#: An extra of a model that says nothing where it is what every model gets.
_ROLE = "ExecutionRoleArn"


class Shelf:
    """Describes models and endpoint configs, one call each."""

    def __init__(self, account: Account, *, role_arn: str = "") -> None:
        """Take the role that models are made with where they name none of their own."""
        self._account = account
        self.role_arn = role_arn

    def model(self, name: str) -> Model:
        """Return the model. Raises ModelNotFound, or Unreadable for a form that is not known here."""
        with calling(f"model {name!r} cannot be described", meaning):
            told = self._account.client("sagemaker").describe_model(ModelName=name)
        model = _understood("model", name, models.told, told)
        if model.extras.get(_ROLE) != self.role_arn:
            return model
        extras = {key: value for key, value in model.extras.items() if key != _ROLE}
        return replace(model, extras=extras)

    def config(self, name: str) -> EndpointConfig:
        """Return the endpoint config. Raises ConfigNotFound, or Unreadable as `model` does."""
        with calling(f"endpoint config {name!r} cannot be described", meaning):
            told = self._account.client("sagemaker").describe_endpoint_config(
                EndpointConfigName=name
            )
        return _understood("endpoint config", name, configs.told, told)

    def models(self) -> Listing[Model]:
        """Return every model in the order of names: a hundred names a call, and a call for each."""
        return self._listing("list_models", "Models", "ModelName", self.model)

    def configs(self) -> Listing[EndpointConfig]:
        """Return every endpoint config in the order of names, as `models` does."""
        return self._listing(
            "list_endpoint_configs", "EndpointConfigs", "EndpointConfigName", self.config
        )

    def _listing(
        self, operation: str, member: str, named: str, describe: Callable[[str], _Record]
    ) -> Listing[_Record]:
        with calling(f"{member} cannot be listed"):
            pages = self._account.pages("sagemaker", operation, MaxResults=PAGE)
            names = [each[named] for page in pages for each in page[member]]
        return described(names, describe)

    def blueprint(self, config: EndpointConfig) -> Blueprint:
        """Return what an endpoint of this config runs. Raises ModelNotFound, Unreadable."""
        names = dict.fromkeys(each.model_name for each in config.every if each.model_name)
        return Blueprint(config=config, models=tuple(map(self.model, names)))

    def blueprint_of(self, endpoint_name: str, config_name: str) -> Blueprint:
        """Return what an endpoint runs. Raises Unreadable where its config or a model is gone."""
        try:
            return self.blueprint(self.config(config_name))
        except NotFound as error:
            raise Unreadable(
                f"what endpoint {endpoint_name!r} runs cannot be told any more: {error.message}",
                hint="it goes on running; deploy it anew from a config that is there",
            ) from error


def _understood(
    noun: str,
    name: str,
    read: Callable[[Mapping[str, Any]], _Record],
    told: Mapping[str, Any],
) -> _Record:
    try:
        return read(told)
    except (InvalidInput, KeyError, TypeError, ValueError) as error:
        why = error.message if isinstance(error, InvalidInput) else repr(error)
        raise Unreadable(
            f"{noun} {name!r} is described in a form that is not known here: {why}",
            hint="this may need a newer Parkade",
        ) from error
