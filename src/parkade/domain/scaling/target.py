"""What is scaled, between which bounds: a variant's instances, or a component's copies.

The words for the outside are Application Auto Scaling's: a resource id such as
`endpoint/falcon/variant/main` or `inference-component/adapter`, and the dimension of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping  # noqa: TC003  stores read these forms by their annotations
from dataclasses import dataclass, field, replace
from datetime import datetime  # noqa: TC003
from enum import StrEnum

from parkade.domain import names
from parkade.domain.errors import InvalidInput

#: The most that a bound may be: botocore's ResourceCapacity is a 32 bit integer.
LARGEST = 2**31 - 1
_VARIANT = re.compile(r"endpoint/([^/]+)/variant/([^/]+)")
_COMPONENT = re.compile(r"inference-component/([^/]+)")
_FORMS = "write endpoint/NAME/variant/VARIANT, or inference-component/NAME"


class Dimension(StrEnum):
    """What of a resource is counted, in the words of the service namespace `sagemaker`."""

    INSTANCES = "sagemaker:variant:DesiredInstanceCount"
    COPIES = "sagemaker:inference-component:DesiredCopyCount"

    @property
    def noun(self) -> str:
        """How activities call it."""
        return {Dimension.INSTANCES: "instance count", Dimension.COPIES: "copy count"}[self]


@dataclass(frozen=True, slots=True)
class Resource:
    """A variant of an endpoint, or an inference component."""

    #: The endpoint's name, or the component's.
    name: str
    #: Empty: it is a component.
    variant_name: str = ""

    @classmethod
    def parse(cls, text: str, dimension: str = "") -> Resource:
        """Read a resource id, and whether the dimension is one of it.

        Raises InvalidInput; without a dimension the id alone is read.
        """
        found: Resource
        if match := _VARIANT.fullmatch(text):
            names.endpoint_name(match[1], field="ResourceId")
            found = cls(match[1], names.endpoint_name(match[2], field="ResourceId"))
        elif match := _COMPONENT.fullmatch(text):
            found = cls(names.model_name(match[1], field="ResourceId"))
        else:
            raise InvalidInput(
                f"ResourceId {text[:200]!r} is nothing that can be scaled",
                field="ResourceId",
                hint=_FORMS,
            )
        if dimension and dimension != found.dimension:
            raise InvalidInput(
                f"ScalableDimension {dimension!r} is none of ResourceId {text!r}",
                field="ScalableDimension",
                hint=f"give {found.dimension.value}",
            )
        return found

    @property
    def id(self) -> str:
        """How Application Auto Scaling names it."""
        if self.variant_name:
            return f"endpoint/{self.name}/variant/{self.variant_name}"
        return f"inference-component/{self.name}"

    @property
    def component(self) -> bool:
        """Whether it is an inference component."""
        return not self.variant_name

    @property
    def dimension(self) -> Dimension:
        """What of it is counted."""
        return Dimension.COPIES if self.component else Dimension.INSTANCES

    def __str__(self) -> str:
        """Name it for people."""
        if self.component:
            return f"inference component {self.name!r}"
        return f"variant {self.variant_name!r} of endpoint {self.name!r}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspended:
    """What of the scaling of a target is suspended (SuspendedState)."""

    scale_in: bool = False
    scale_out: bool = False
    scheduled: bool = False

    def changed(
        self,
        *,
        scale_in: bool | None = None,
        scale_out: bool | None = None,
        scheduled: bool | None = None,
    ) -> Suspended:
        """Return it with what is given; None: as it was."""
        return Suspended(
            scale_in=self.scale_in if scale_in is None else scale_in,
            scale_out=self.scale_out if scale_out is None else scale_out,
            scheduled=self.scheduled if scheduled is None else scheduled,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspending:
    """What of a target's scaling is to be suspended; None: as it was."""

    scale_in: bool | None = None
    scale_out: bool | None = None
    scheduled: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScalableTarget:
    """A resource that is scaled between two bounds. `version` counts its writes; 0: not stored."""

    resource: Resource
    #: MinCapacity and MaxCapacity.
    least: int
    most: int
    created_at: datetime
    suspended: Suspended = field(default_factory=Suspended)
    #: As it was given, to be shown again: nobody is asked for leave here.
    role_arn: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    version: int = 0

    def __post_init__(self) -> None:
        """Raise InvalidInput for bounds that are none."""
        for value, name in ((self.least, "MinCapacity"), (self.most, "MaxCapacity")):
            if isinstance(value, bool) or not 0 <= value <= LARGEST:
                raise InvalidInput(
                    f"{name} {value} is not within 0 to {LARGEST}", field=name, hint="give a count"
                )
        if self.least > self.most:
            raise InvalidInput(
                f"MinCapacity {self.least} is more than MaxCapacity {self.most}",
                field="MinCapacity",
                hint="give a smaller one, or a larger MaxCapacity",
            )

    def within(self, capacity: int) -> int:
        """Return what is nearest to a capacity within the bounds."""
        return min(max(capacity, self.least), self.most)

    def bounded(self, least: int | None, most: int | None) -> ScalableTarget:
        """Return it with other bounds; None: as it was. Raises InvalidInput."""
        return replace(
            self,
            least=self.least if least is None else least,
            most=self.most if most is None else most,
        )
