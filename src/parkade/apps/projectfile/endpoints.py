"""`endpoints`: what serves, and under which terms."""

from typing import Annotated, Literal, Self

from pydantic import Discriminator, Field, Tag, field_validator, model_validator

from parkade.apps.projectfile.base import Address, Positive, Section, Tags, Topic
from parkade.apps.projectfile.terms import (
    Keeping,
    Maintaining,
    Sleeping,
    Waking,
    require_hours,
)
from parkade.apps.projectfile.variants import VariantSetting

Owner = Annotated[
    str, Field(pattern=r"^[a-zA-Z0-9]([._@+\-a-zA-Z0-9]*[a-zA-Z0-9])?$", max_length=63)
]


class CaptureSetting(Section):
    """Data capture: requests and answers that are written down."""

    percentage: Annotated[int, Field(ge=0, le=100)] = Field(
        default=100, description="percent. The share of the requests that is written down."
    )
    destination: Address = Field(description="s3:// prefix that the files go under.")
    enabled: bool = Field(default=True, description="whether anything is written down.")
    inputs: bool = Field(default=True, description="whether requests are written down.")
    outputs: bool = Field(default=True, description="whether answers are written down.")
    csv_types: list[str] = Field(
        default=[], description="content types that are written as text; others in base 64."
    )
    json_types: list[str] = Field(
        default=[], description="content types that are written as JSON; others in base 64."
    )

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.inputs and not self.outputs:
            raise ValueError("inputs and outputs are both false: say enabled: false instead")
        return self


class AsyncSetting(Section):
    """The endpoint takes asynchronous requests only."""

    output: Address = Field(description="s3:// prefix of answers.")
    failure: Address | None = Field(default=None, description="s3:// prefix of failures.")
    success_topic: Topic | None = Field(
        default=None, description="ARN of the topic that is told of answers."
    )
    error_topic: Topic | None = Field(
        default=None, description="ARN of the topic that is told of failures."
    )
    include_response_in: list[Literal["SUCCESS_NOTIFICATION_TOPIC", "ERROR_NOTIFICATION_TOPIC"]] = (
        Field(default=[], description="which topics get the answer along.")
    )
    concurrency: Annotated[int, Field(ge=1, le=1000)] | None = Field(
        default=None, description="requests at a time of one instance; null: the host's own choice."
    )


class LeaseSetting(Section):
    """The lease that is bought when the endpoint is made; applying again buys nothing."""

    minutes: Positive | None = Field(
        default=None, description="minutes. What is bought; null: as much as the server gives."
    )
    keep: Keeping | None = Field(default=None, description="extension by use.")
    schedule: Annotated[str, Field(min_length=1)] | None = Field(
        default=None, description="office hours: `mon-fri 09:00-17:00 Europe/Berlin`."
    )

    @field_validator("schedule")
    @classmethod
    def _readable(cls, hours: str | None) -> str | None:
        if hours is not None:
            require_hours(hours)
        return hours


class StrategySetting(Section):
    """How requests go over to what a change makes."""

    kind: Literal["all_at_once", "canary", "linear", "rolling"] = Field(
        default="all_at_once", description="at once, a canary first, in steps, or batch by batch."
    )
    percent: Annotated[int, Field(ge=1, le=100)] | None = Field(
        default=None, description="percent. The size of a step."
    )
    instances: Annotated[int, Field(ge=1)] | None = Field(
        default=None, description="instances. The size of a step, instead of percent."
    )
    wait_seconds: Annotated[float, Field(ge=0, le=3600)] = Field(
        default=0, description="seconds. How long each step is watched."
    )
    termination_wait_seconds: Annotated[float, Field(ge=0, le=3600)] = Field(
        default=0, description="seconds. How long the former instances stay at the end."
    )
    limit_seconds: Annotated[float, Field(ge=600, le=28800)] | None = Field(
        default=None, description="seconds. How long all of it may take; null: as long as it takes."
    )
    rollback_percent: Annotated[int, Field(ge=1, le=100)] | None = Field(
        default=None, description="percent. rolling: the size of a step back."
    )
    rollback_instances: Annotated[int, Field(ge=1)] | None = Field(
        default=None, description="instances. rolling: the size of a step back."
    )
    alarms: list[str] = Field(
        default=[],
        description="keys of the alarms of `monitor.alarms`, or names of others, that call it off.",
    )

    @model_validator(mode="after")
    def _stepped(self) -> Self:
        for less, more in (("percent", "instances"), ("rollback_percent", "rollback_instances")):
            if getattr(self, less) is not None and getattr(self, more) is not None:
                raise ValueError(f"{less} and {more} exclude each other")
        if self.kind != "all_at_once" and self.percent is None and self.instances is None:
            raise ValueError(f"percent is missing: {self.kind} goes in steps")
        return self


def _form(given: object) -> str:
    return UNMETERED if isinstance(given, bool) else METERED


UNMETERED, METERED = "(false)", "(lease)"
Lease = Annotated[
    Annotated[Literal[False], Tag(UNMETERED)] | Annotated[LeaseSetting, Tag(METERED)],
    Discriminator(_form),
]


def _watch(given: object) -> str:
    return BY_TIMERS if isinstance(given, dict | Maintaining) else BY_FLAG


BY_FLAG, BY_TIMERS = "(flag)", "(timers)"
Maintain = Annotated[
    Annotated[bool, Tag(BY_FLAG)] | Annotated[Maintaining, Tag(BY_TIMERS)], Discriminator(_watch)
]


class EndpointSetting(Section):
    """One endpoint."""

    deploy: bool = Field(
        default=True,
        description="false: models and endpoint config are made, and the endpoint is not: whether "
        "it runs is the meter's affair.",
    )
    variants: Annotated[list[VariantSetting], Field(min_length=1, max_length=10)] = Field(
        description="1 to 10 variants."
    )
    shadows: Annotated[list[VariantSetting], Field(max_length=1)] = Field(
        default=[],
        description="a variant that gets a copy of each request; nobody sees its answer.",
    )
    capture: CaptureSetting | None = Field(default=None, description="data capture; null: none.")
    asynchronous: AsyncSetting | None = Field(
        default=None, alias="async", description="null: it answers at once."
    )
    lease: Lease = Field(
        default=LeaseSetting(), description="false: it runs without a lease, and is not metered."
    )
    owner: Owner | None = Field(
        default=None,
        description="who pays; null: the project, where `limits.budget` is its own, else whoever applies the file.",
    )
    maintain: Maintain | None = Field(
        default=None,
        description="whether the maintainer watches it, or by which timers; null: its tags say.",
    )
    sleep: Sleeping | None = Field(default=None, description="null: it does not sleep.")
    wake: Waking | None = Field(
        default=None, description="null: once its lease has run out, no request starts it."
    )
    strategy: StrategySetting = Field(
        default=StrategySetting(), description="how requests go over to what a change makes."
    )
    max_wait_minutes: Annotated[float, Field(gt=0, le=1440)] | None = Field(
        default=None, description="minutes. How long bringing it up may take; null: an hour."
    )
    tags: Tags = Field(default={}, description="tags, beside those of the project.")

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        if self.lease is False:
            for name in ("owner", "sleep", "wake"):
                if getattr(self, name) is not None:
                    raise ValueError(f"{name} does not go with lease: false")
        if self.shadows and len(self.variants) > 1:
            raise ValueError("a shadow goes with exactly one variant")
        if self.asynchronous is not None and self.shadows:
            raise ValueError("shadows do not go with async")
        if self.asynchronous is not None and self.capture is not None and self.capture.enabled:
            raise ValueError("capture does not go with async: requests and answers are objects")
        if not any(each.weight for each in self.variants):
            raise ValueError("the variants' weights add up to 0: none would get a request")
        return self
