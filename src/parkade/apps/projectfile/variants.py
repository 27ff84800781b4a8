"""Variants of an endpoint: a model, its share of the requests, its instances and their scaling."""

from typing import Annotated, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from parkade.apps.projectfile.base import Amount, Count, Key, Positive, Section

_INSTANCE_TYPE = r"^ml\.[a-z0-9\-]+\.[a-z0-9\-]+$"
InstanceType = Annotated[str, Field(pattern=_INSTANCE_TYPE)]
_Cooldown = Annotated[int, Field(ge=0, le=7 * 24 * 3600)]
_Patience = Annotated[int, Field(ge=60, le=3600)]


class OwnMetric(Section):
    """A metric of one's own that scaling follows."""

    namespace: Annotated[str, Field(min_length=1)] = Field(description="its namespace.")
    name: Annotated[str, Field(min_length=1)] = Field(description="its name.")
    statistic: str = Field(
        default="Average", description="the statistic of each minute that is compared."
    )
    dimensions: dict[str, str] = Field(default={}, description="its dimensions.")
    unit: str = Field(default="", description="its unit; empty: any.")


def _form(given: object) -> str:
    return BY_DIMENSIONS if isinstance(given, dict | OwnMetric) else BY_WORD


BY_WORD, BY_DIMENSIONS = "(word)", "(metric)"
#: What scaling follows.
Metric = Annotated[
    Annotated[Literal["invocations", "concurrency"], Tag(BY_WORD)]
    | Annotated[OwnMetric, Tag(BY_DIMENSIONS)],
    Discriminator(_form),
]


class Scaling(Section):
    """Target tracking of one variant; it can be switched on and off while it serves."""

    enabled: bool = Field(default=True, description="whether the number of instances follows.")
    least: Annotated[int, Field(ge=0)] = Field(
        default=1, description="instances. The fewest; 0 for asynchronous endpoints."
    )
    most: Count = Field(description="instances. The most.")
    target: Positive = Field(
        description="what the metric is kept near: invocations a minute of one instance, requests "
        "at a time, or the unit of your own metric."
    )
    metric: Metric = Field(
        default="invocations",
        description="what is followed: `invocations` or `concurrency` of each instance, or a "
        "metric of your own.",
    )
    out_cooldown: _Cooldown = Field(
        default=300, description="seconds. So long after instances were added no more are."
    )
    in_cooldown: _Cooldown = Field(
        default=300, description="seconds. So long after a change no instances are taken away."
    )
    scale_in: bool = Field(default=True, description="whether instances are ever taken away.")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.least > self.most:
            raise ValueError(f"least {self.least} is more than most {self.most}")
        return self


class ServerlessSetting(Section):
    """A variant without instances of its own."""

    memory_mb: Literal[1024, 2048, 3072, 4096, 5120, 6144] = Field(
        description="MB. Memory of one worker."
    )
    concurrency: Annotated[int, Field(ge=1, le=200)] = Field(
        description="requests at a time at most."
    )
    provisioned: Annotated[int, Field(ge=1, le=200)] | None = Field(
        default=None, description="requests at a time that capacity is kept warm for."
    )


class VariantSetting(Section):
    """One variant."""

    name: Key = Field(default="AllTraffic", description="its name, each once in an endpoint.")
    model: Key = Field(description="key of the model that it serves.")
    weight: Amount = Field(
        default=1.0, description="its share of the requests, beside the other variants' weights."
    )
    instances: Count = Field(
        default=1,
        description="instances; with scaling those that it begins with, afterwards scaling has the say.",
    )
    type: InstanceType | None = Field(
        default=None,
        description="instance type such as ml.c5.xlarge; on one machine it is a name and a price.",
    )
    serverless: ServerlessSetting | None = Field(
        default=None, description="instead of `type` and `instances`."
    )
    scaling: Scaling | None = Field(
        default=None, description="how the number of instances follows the load; null: it does not."
    )
    routing: Literal["least_outstanding_requests", "random"] = Field(
        default="least_outstanding_requests",
        description="which of its instances gets the next request.",
    )
    download_seconds: _Patience | None = Field(
        default=None, description="seconds. Time to fetch the model; null: the host's own."
    )
    startup_seconds: _Patience | None = Field(
        default=None, description="seconds. Time to the first good /ping; null: the host's own."
    )

    @model_validator(mode="after")
    def _runs_on_something(self) -> Self:
        if self.serverless is None and self.type is None:
            raise ValueError("type is missing: give an instance type such as ml.c5.xlarge")
        if self.serverless is not None:
            for name in ("type", "scaling"):
                if getattr(self, name) is not None:
                    raise ValueError(f"{name} does not go with serverless")
            if "instances" in self.model_fields_set:
                raise ValueError("instances does not go with serverless")
        return self
