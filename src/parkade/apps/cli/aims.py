"""What of an endpoint is asked: a variant, an inference component, a model of many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from parkade.domain import names
from parkade.domain.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from parkade.apps.cli.client import Client

_PREFIX = "X-Amzn-SageMaker-"
VARIANT = f"{_PREFIX}Target-Variant"
MODEL = f"{_PREFIX}Target-Model"
COMPONENT = f"{_PREFIX}Inference-Component"
INFERENCE_ID = f"{_PREFIX}Inference-Id"
ATTRIBUTES = f"{_PREFIX}Custom-Attributes"
#: Says in an answer which variant it came from.
INVOKED = "x-Amzn-Invoked-Production-Variant"


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """Where requests go; empty: as the endpoint has it."""

    endpoint: str
    variant: str = ""
    component: str = ""
    model: str = ""

    @property
    def headers(self) -> dict[str, str]:
        """What steers a request there."""
        steering = {VARIANT: self.variant, COMPONENT: self.component, MODEL: self.model}
        return {name: value for name, value in steering.items() if value}

    @property
    def part(self) -> str:
        """Name of the variant or component; empty: as the weights have it."""
        return self.variant or self.component

    def __str__(self) -> str:
        """Write it for people: `text/Model-B`."""
        named = "/".join(each for each in (self.endpoint, self.part) if each)
        return f"{named} ({self.model})" if self.model else named


def read(text: str, *, field: str) -> Aim:
    """Read `ENDPOINT` or `ENDPOINT/VARIANT`. Raises InvalidInput."""
    endpoint, slash, variant = text.partition("/")
    names.endpoint_name(endpoint, field=field)
    if slash:
        names.endpoint_name(variant, field=f"{field}, the variant")
    return Aim(endpoint=endpoint, variant=variant)


def all_of(
    client: Client, endpoint: str, wanted: Sequence[str], *, model: str = ""
) -> tuple[Aim, ...]:
    """Return every variant, or every inference component, of an endpoint; of those wanted, these.

    Raises InvalidInput for one that it has not, Refused for an endpoint that is not there.
    """
    counts = client.get("endpoints", endpoint)["capacities"]
    hidden = _shadows(client, endpoint) if counts else set()
    there = {
        each["component_name"] or each["variant_name"]: Aim(
            endpoint=endpoint,
            variant="" if each["component_name"] else each["variant_name"],
            component=each["component_name"],
            model=model,
        )
        for each in counts
        if each["component_name"] or each["variant_name"] not in hidden
    }
    unknown = next((name for name in wanted if name not in there), None)
    if unknown is not None or not there:
        known = ", ".join(sorted(there)) or f"none that runs; see: parkade show {endpoint}"
        what = f"no variant {unknown!r}" if unknown else "no variant that could be asked"
        raise InvalidInput(
            f"endpoint {endpoint!r} has {what}",
            field="variant",
            hint=f"{names.suggestion(unknown or '', there)} it has {known}".strip(),
        )
    return tuple(there[name] for name in (dict.fromkeys(wanted) or there))


def _shadows(client: Client, endpoint: str) -> set[str]:
    """Return the variants that get copies alone: nobody can ask them."""
    found = client.get("endpoints", endpoint, "ab", span=60)
    return {each["name"] for each in found["variants"] if each["shadow"]}
