"""What an endpoint is made of: models, endpoint configs and their variants.

The nouns, limits and defaults are SageMaker's; limits are checked where a value is made, so
that one that exists is usable. `extras` are members of the SageMaker API that nothing here acts
on: kept as they were given, and shown again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping  # noqa: TC003  stores read these forms by their annotations
from dataclasses import dataclass, field
from datetime import datetime  # noqa: TC003
from enum import StrEnum
from typing import Any

from parkade.domain import names
from parkade.domain.errors import InvalidInput

ENVIRONMENT_LIMIT = 100
ENVIRONMENT_TEXT_LIMIT = 1024
CONTAINERS_LIMIT = 15
VARIANTS_LIMIT = 10
_ENVIRONMENT_KEY = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """A container image with its model data and environment."""

    image: str
    #: The s3:// address of a .tar.gz, or of the prefix of many where `multi_model`; empty where
    #: the container brings its own data.
    data_url: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    #: ContainerHostname: its name within a pipeline; empty where it has none.
    hostname: str = ""
    multi_model: bool = False
    #: ModelCacheSetting: whether a loaded model stays after the call.
    caches: bool = True
    extras: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.image or len(self.image) > 255 or any(c.isspace() for c in self.image):
            raise InvalidInput(f"Image {self.image[:80]!r} is not an image name", field="Image")
        if self.multi_model:
            names.s3_prefix(self.data_url)
        elif self.data_url:
            names.s3_address(self.data_url)
        if self.hostname:
            names.endpoint_name(self.hostname, field="ContainerHostname")
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
class Model:
    """One container, or a pipeline of 2 to 15 that requests go through in series."""

    name: str
    containers: tuple[Container, ...]
    created_at: datetime
    #: InferenceExecutionConfig: each request goes to the one container that it names.
    direct: bool = False
    extras: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names.model_name(self.name)
        if not 1 <= len(self.containers) <= CONTAINERS_LIMIT:
            raise InvalidInput(
                f"Containers has {len(self.containers)} entries; 1 to {CONTAINERS_LIMIT} are allowed",
                field="Containers",
            )
        hostnames = [each.hostname for each in self.containers if each.hostname]
        _require_distinct(hostnames, "ContainerHostname", "Containers")
        if len(self.containers) > 1 and any(each.multi_model for each in self.containers):
            raise InvalidInput(
                "Containers has one with Mode MultiModel, which cannot be part of a pipeline here",
                field="Containers",
                hint="make an endpoint of its own for the multi-model container",
            )
        if self.direct and len(hostnames) < len(self.containers):
            raise InvalidInput(
                "InferenceExecutionConfig Mode Direct needs a ContainerHostname for each container",
                field="ContainerHostname",
            )

    @property
    def primary(self) -> Container:
        """The first container, which is the only one of most models."""
        return self.containers[0]


class Routing(StrEnum):
    """RoutingStrategy: which instance of a variant gets the next request."""

    LEAST_OUTSTANDING_REQUESTS = "LEAST_OUTSTANDING_REQUESTS"
    RANDOM = "RANDOM"


@dataclass(frozen=True, slots=True, kw_only=True)
class Serverless:
    """ServerlessConfig: memory in MB, requests at a time, capacity that is kept warm."""

    memory_mb: int
    concurrency: int
    provisioned: int | None = None

    def __post_init__(self) -> None:
        if self.memory_mb not in range(1024, 6145, 1024):
            raise InvalidInput(
                f"MemorySizeInMB {self.memory_mb} is not one of 1024, 2048, ... 6144",
                field="MemorySizeInMB",
            )
        _require_range(self.concurrency, 1, 200, "MaxConcurrency")
        if self.provisioned is not None:
            _require_range(self.provisioned, 1, self.concurrency, "ProvisionedConcurrency")


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One variant: a model, its share of the traffic, its instances.

    Without a model it hosts inference components.
    """

    name: str
    model_name: str = ""
    #: Empty where serverless.
    instance_type: str = ""
    #: Those that are wanted; a config has one at least, an asynchronous endpoint none at times.
    instance_count: int = 1
    weight: float = 1.0
    routing: Routing = Routing.LEAST_OUTSTANDING_REQUESTS
    serverless: Serverless | None = None
    #: Seconds; None: the host's own patience.
    download_timeout: int | None = None
    startup_timeout: int | None = None
    extras: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names.endpoint_name(self.name, field="VariantName")
        if self.model_name:
            names.model_name(self.model_name)
        if self.serverless is None and not re.fullmatch(
            r"ml\.[a-z0-9\-]+\.[a-z0-9\-]+", self.instance_type
        ):
            raise InvalidInput(
                f"InstanceType {self.instance_type!r} is not an instance type",
                field="InstanceType",
                hint="write one such as ml.c5.xlarge; embedded it is a name only",
            )
        if isinstance(self.instance_count, bool) or self.instance_count < 0:
            raise InvalidInput(
                f"DesiredInstanceCount {self.instance_count} is less than 0",
                field="DesiredInstanceCount",
            )
        if not 0 <= self.weight < float("inf"):
            raise InvalidInput(
                f"InitialVariantWeight {self.weight} is not a number of 0 or more",
                field="InitialVariantWeight",
            )
        for seconds, name in (
            (self.download_timeout, "ModelDataDownloadTimeoutInSeconds"),
            (self.startup_timeout, "ContainerStartupHealthCheckTimeoutInSeconds"),
        ):
            if seconds is not None:
                _require_range(seconds, 60, 3600, name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """DataCaptureConfig: which share of the traffic is written down, and where to."""

    #: The s3:// prefix that files go under.
    destination: str
    #: Of the requests, 0 to 100.
    percentage: int
    enabled: bool = True
    #: What is written of each: its input, its output.
    inputs: bool = True
    outputs: bool = True
    #: Content types that are written as text; all others in base 64.
    csv_types: tuple[str, ...] = ()
    json_types: tuple[str, ...] = ()
    extras: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names.s3_prefix(self.destination, field="DestinationS3Uri")
        _require_range(self.percentage, 0, 100, "InitialSamplingPercentage")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asynchronous:
    """AsyncInferenceConfig: the endpoint takes asynchronous calls only."""

    #: The s3:// prefix of answers.
    output: str
    #: The s3:// prefix of failures; empty: none are written.
    failure: str = ""
    #: Topics by ARN; empty: nobody is told.
    success_topic: str = ""
    error_topic: str = ""
    #: IncludeInferenceResponseIn: which notifications bring the answer along.
    include_response_in: tuple[str, ...] = ()
    #: MaxConcurrentInvocationsPerInstance; None: the host's own choice.
    concurrency: int | None = None
    extras: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names.s3_prefix(self.output, field="S3OutputPath")
        if self.failure:
            names.s3_prefix(self.failure, field="S3FailurePath")
        if self.concurrency is not None:
            _require_range(self.concurrency, 1, 1000, "MaxConcurrentInvocationsPerInstance")


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointConfig:
    """What an endpoint is created from: 1 to 10 variants with names of their own.

    A shadow variant gets a copy of the requests that the one production variant gets.
    """

    name: str
    variants: tuple[Variant, ...]
    created_at: datetime
    shadows: tuple[Variant, ...] = ()
    capture: Capture | None = None
    asynchronous: Asynchronous | None = None
    extras: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names.endpoint_name(self.name, field="EndpointConfigName")
        if not 1 <= len(self.variants) <= VARIANTS_LIMIT:
            raise InvalidInput(
                f"ProductionVariants has {len(self.variants)} entries; 1 to {VARIANTS_LIMIT} are allowed",
                field="ProductionVariants",
            )
        if self.shadows and (len(self.shadows), len(self.variants)) != (1, 1):
            raise InvalidInput(
                f"ShadowProductionVariants has {len(self.shadows)} entries beside "
                f"{len(self.variants)} ProductionVariants; a shadow test has exactly one of each",
                field="ShadowProductionVariants",
            )
        _require_distinct(
            [variant.name for variant in self.every], "VariantName", "ProductionVariants"
        )
        if sum(variant.weight for variant in self.variants) <= 0:
            raise InvalidInput(
                "the variants' weights add up to 0, so none would get traffic",
                field="InitialVariantWeight",
                hint="give at least one variant a weight above 0",
            )
        if self.asynchronous is not None and self.shadows:
            raise InvalidInput(
                "ShadowProductionVariants is not supported with AsyncInferenceConfig",
                field="ShadowProductionVariants",
                hint="shadow tests are made with synchronous endpoints",
            )
        if self.asynchronous is not None and self.capture is not None and self.capture.enabled:
            raise InvalidInput(
                "DataCaptureConfig is not supported with AsyncInferenceConfig",
                field="DataCaptureConfig",
                hint="asynchronous requests and answers are objects already: keep them instead",
            )
        if len({bool(variant.model_name) for variant in self.every}) > 1:
            raise InvalidInput(
                "some variants have a ModelName and some have none",
                field="ModelName",
                hint="give every variant a model, or none of them, for inference components",
            )

    @property
    def every(self) -> tuple[Variant, ...]:
        """Production variants, then shadow variants."""
        return (*self.variants, *self.shadows)

    def require_initial(self) -> None:
        """Raise InvalidInput for counts that no endpoint can begin with."""
        for variant in self.every:
            if variant.instance_count < 1:
                raise InvalidInput(
                    f"InitialInstanceCount {variant.instance_count} is less than 1",
                    field="InitialInstanceCount",
                    hint="an asynchronous endpoint is scaled to 0 once it is there",
                )

    @property
    def fewest(self) -> int:
        """How many instances each variant has at least: SageMaker has none of asynchronous ones."""
        return 0 if self.asynchronous is not None else 1

    @property
    def hosts_components(self) -> bool:
        """Whether inference components are what runs, rather than models of variants."""
        return not self.variants[0].model_name


def _require_range(value: int, least: int, most: int, name: str) -> None:
    if isinstance(value, bool) or not least <= value <= most:
        raise InvalidInput(f"{name} {value} is not within {least} to {most}", field=name)


def _require_distinct(given: list[str], noun: str, member: str) -> None:
    twice = sorted({name for name in given if given.count(name) > 1})
    if twice:
        raise InvalidInput(
            f"{noun} {twice[0]!r} is used twice",
            field=member,
            hint=f"give each {noun} once",
        )
