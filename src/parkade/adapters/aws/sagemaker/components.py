"""Inference components as SageMaker lists and describes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from parkade.adapters.aws.refusals import calling
from parkade.adapters.aws.sagemaker.describing import PAGE, described
from parkade.adapters.aws.sagemaker.forms import components
from parkade.adapters.aws.sagemaker.meanings import meaning
from parkade.domain.endpoint import ComponentStatus
from parkade.domain.errors import InvalidInput, NotFound, Unreadable
from parkade.ports.catalog import Listing, RecordedComponent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from parkade.adapters.aws.account import Account
    from parkade.adapters.aws.sagemaker.shelf import Shelf


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """A component, and how many copies of it answer."""

    recorded: RecordedComponent
    current: int


class Components:
    """Reads inference components, and says how many copies of one there are to be."""

    def __init__(self, account: Account, shelf: Shelf) -> None:
        self._account = account
        self._shelf = shelf

    def get(self, name: str) -> Described:
        """Return a component. Raises ComponentNotFound, or Unreadable."""
        with calling(f"inference component {name!r} cannot be described", meaning):
            told = self._account.client("sagemaker").describe_inference_component(
                InferenceComponentName=name
            )
        try:
            return Described(
                recorded=RecordedComponent(
                    component=components.told(told, self._shelf.model),
                    status=ComponentStatus(told["InferenceComponentStatus"]),
                    changed_at=told["LastModifiedTime"],
                    failure_reason=told.get("FailureReason", ""),
                ),
                current=told.get("RuntimeConfig", {}).get("CurrentCopyCount", 0),
            )
        except (InvalidInput, NotFound, KeyError, ValueError) as error:
            why = error.message if isinstance(error, InvalidInput | NotFound) else repr(error)
            raise Unreadable(
                f"inference component {name!r} is described in a form that is not known here: {why}",
                hint="this may need a newer Parkade, or its model is gone",
            ) from error

    def names(self) -> Mapping[str, str]:
        """Return the endpoint of each component, by the component's name."""
        return {each["InferenceComponentName"]: each["EndpointName"] for each in self._summaries()}

    def all(self) -> Listing[Described]:
        """Return all components in the order of names, and why others cannot be read."""
        return described(self.names(), self.get)

    def copy(self, name: str, count: int) -> None:
        """Have so many copies of a component. Raises ComponentNotFound, EndpointBusy, Conflict."""
        with calling(f"inference component {name!r} cannot have {count} copies", meaning):
            self._account.client("sagemaker").update_inference_component_runtime_config(
                InferenceComponentName=name, DesiredRuntimeConfig={"CopyCount": count}
            )

    def _summaries(self) -> list[Mapping[str, Any]]:
        with calling("inference components cannot be listed"):
            pages = self._account.pages("sagemaker", "list_inference_components", MaxResults=PAGE)
            return [each for page in pages for each in page["InferenceComponents"]]
