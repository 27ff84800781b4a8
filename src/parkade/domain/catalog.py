"""What an endpoint is made of: models, endpoint configs and their variants.

The nouns, limits and defaults are SageMaker's; limits are checked where a value is made, so
that one that exists is usable.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from parkade.domain import names
from parkade.domain.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

ENVIRONMENT_LIMIT = 100
ENVIRONMENT_TEXT_LIMIT = 1024
VARIANTS_LIMIT = 10
_ENVIRONMENT_KEY = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A container image with its model data (an s3:// address of a .tar.gz) and environment."""

    name: str
    image: str
    #: Empty where the container brings its own data.
    data_url: str
    created_at: datetime
    environment: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names.model_name(self.name)
        if not self.image or len(self.image) > 255 or any(c.isspace() for c in self.image):
            raise InvalidInput(f"Image {self.image[:80]!r} is not an image name", field="Image")
        if self.data_url:
            names.s3_address(self.data_url)
        if len(self.environment) > ENVIRONMENT_LIMIT:
            raise InvalidInput(
                f"Environment has {len(self.environment)} entries; {ENVIRONMENT_LIMIT} are allowed",
                field="Environment",
            )
        for key, value in self.environment.items():
            too_long = max(len(key), len(value)) > ENVIRONMENT_TEXT_LIMIT
            if too_long or not _ENVIRONMENT_KEY.fullmatch(key) or "\0" in value:
                raise InvalidInput(
                    f"Environment entry {key[:80]!r} is not usable",
                    field="Environment",
                    hint="keys match [a-zA-Z_][a-zA-Z0-9_]*; keys and values have at most "
                    f"{ENVIRONMENT_TEXT_LIMIT} characters",
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One production variant: a model, its share of the traffic, its instances."""

    name: str
    model_name: str
    instance_type: str
    instance_count: int = 1
    weight: float = 1.0

    def __post_init__(self) -> None:
        names.endpoint_name(self.name, field="VariantName")
        names.model_name(self.model_name)
        if not re.fullmatch(r"ml\.[a-z0-9\-]+\.[a-z0-9\-]+", self.instance_type):
            raise InvalidInput(
                f"InstanceType {self.instance_type!r} is not an instance type",
                field="InstanceType",
                hint="write one such as ml.c5.xlarge; embedded it is a name only",
            )
        if isinstance(self.instance_count, bool) or self.instance_count < 1:
            raise InvalidInput(
                f"InitialInstanceCount {self.instance_count} is less than 1",
                field="InitialInstanceCount",
            )
        if not 0 <= self.weight < float("inf"):
            raise InvalidInput(
                f"InitialVariantWeight {self.weight} is not a number of 0 or more",
                field="InitialVariantWeight",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointConfig:
    """What an endpoint is created from: 1 to 10 variants with names of their own."""

    name: str
    variants: tuple[Variant, ...]
    created_at: datetime

    def __post_init__(self) -> None:
        names.endpoint_name(self.name, field="EndpointConfigName")
        if not 1 <= len(self.variants) <= VARIANTS_LIMIT:
            raise InvalidInput(
                f"ProductionVariants has {len(self.variants)} entries; 1 to {VARIANTS_LIMIT} are allowed",
                field="ProductionVariants",
            )
        seen = [variant.name for variant in self.variants]
        twice = sorted({name for name in seen if seen.count(name) > 1})
        if twice:
            raise InvalidInput(
                f"VariantName {twice[0]!r} is used twice",
                field="ProductionVariants",
                hint="give each variant a name of its own",
            )
        if sum(variant.weight for variant in self.variants) <= 0:
            raise InvalidInput(
                "the variants' weights add up to 0, so none would get traffic",
                field="InitialVariantWeight",
                hint="give at least one variant a weight above 0",
            )
