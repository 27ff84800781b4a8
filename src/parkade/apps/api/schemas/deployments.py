"""The forms of deployments: how far each has come, and what one would do."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from parkade.apps.api.schemas.fleets import FleetsView
from parkade.apps.api.schemas.form import View
from parkade.apps.api.schemas.leases import EXPECTED_AT, EXPECTED_IN, seconds_to
from parkade.apps.api.schemas.money import SumView
from parkade.domain.deploy import payload
from parkade.domain.deploy.deployment import Status
from parkade.domain.deploy.steps import Outcome, StepKind, coming

if TYPE_CHECKING:
    from collections.abc import Mapping

    from parkade.domain.deploy.deployment import Deployment
    from parkade.domain.deploy.order import Order
    from parkade.domain.deploy.rehearsal import Prices, Rehearsal
    from parkade.domain.deploy.steps import Retry, Step


def _key(kind: "Mapping[str, Any]", description: str, *examples: Any) -> Any:
    """Return a key of the payload: it is described here, and read by `domain.deploy.payload`."""
    return Field(
        None, description=description, examples=list(examples) or None, json_schema_extra=dict(kind)
    )


_TEXT, _NUMBER, _WHOLE = {"type": "string"}, {"type": "number"}, {"type": "integer"}
_OBJECT = {"type": "object"}


class DeploymentForm(BaseModel):
    """What is to be deployed, in the words of the first endpoint deployer."""

    # Every other spelling of a key is let in, to be known or refused where keys are read.
    model_config = ConfigDict(
        frozen=True, extra="allow", json_schema_extra={"additionalProperties": False}
    )

    endpointName: Any = _key(_TEXT, "The endpoint.", "test-endpoint")  # noqa: N815
    productionVariants: Any = _key(  # noqa: N815
        {"type": "array", "items": _OBJECT},
        "SageMaker's ProductionVariants. `VariantName` left out is AllTraffic.",
        [
            {
                "VariantName": "AllTraffic",
                "ModelName": "falcon-model",
                "InstanceType": "ml.c5.xlarge",
                "InitialInstanceCount": 1,
                "InitialVariantWeight": 1,
            }
        ],
    )
    ShadowProductionVariants: Any = _key(
        {"type": ["array", "null"], "items": _OBJECT},
        "SageMaker's, one beside one production variant. Left out: as it was; null: none.",
    )
    DataCaptureConfig: Any = _key(
        {"type": ["object", "null"]},
        "SageMaker's. Left out: as it was; null: nothing is captured any more.",
        {
            "InitialSamplingPercentage": 100,
            "DestinationS3Uri": "s3://captured/text",
            "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
        },
    )
    AsyncInferenceConfig: Any = _key(
        {"type": ["object", "null"]},
        "SageMaker's: it takes asynchronous calls alone. Left out: as it was; null: it does not.",
        {"OutputConfig": {"S3OutputPath": "s3://answers/text"}},
    )
    autoscalingMinCapacity: Any = _key(  # noqa: N815
        _WHOLE, "The least instances of each variant; goes with the most.", 1
    )
    autoscalingMaxCapacity: Any = _key(  # noqa: N815
        _WHOLE, "The most. Without both, scaling stays as it was.", 4
    )
    targetTrackingScalingPolicyConfiguration: Any = _key(  # noqa: N815
        _OBJECT,
        "As Application Auto Scaling has it. Left out: 5000 invocations per instance, cooldowns of "
        "60 and 300 seconds.",
        {
            "TargetValue": 5000.0,
            "PredefinedMetricSpecification": {
                "PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"
            },
            "ScaleOutCooldown": 60,
            "ScaleInCooldown": 300,
            "DisableScaleIn": False,
        },
    )
    scaling: Any = _key(
        _OBJECT, "The same three by the names of variants; null: a variant is not scaled."
    )
    minutes: Any = _key(
        _NUMBER, "Time to buy. Left out: the usual for a new lease, none for one that runs."
    )
    keepsCounts: Any = _key(  # noqa: N815
        {"type": "boolean"},
        "false: variants without scaling get the counts given here; else running ones keep theirs.",
    )
    revives: Any = _key({"type": "boolean"}, "false: one whose lease is over is not deployed to.")
    owner: Any = _key(_TEXT, "Whose lease it is. Left out: as it is, or the caller's.")
    metered: Any = _key({"type": "boolean"}, "false: the endpoint runs without a lease.")
    environment: Any = _key(
        _TEXT, "The tag `environment` of all that is made. Left out: development."
    )
    tags: Any = _key(_OBJECT, "Tags of all that is made.")
    strategy: Any = _key(
        _OBJECT, "How requests go over to the new fleet of an update. Left out: all at once."
    )
    maxWaitMinutes: Any = _key(_NUMBER, "How long bringing it up may take: 60.")  # noqa: N815
    sleep: Any = _key(_OBJECT, "After how long without use it sleeps.")
    wake: Any = _key(_OBJECT, "Whether requests start it once its lease has run out.")

    def order(self) -> "Order":
        """Return what is ordered. Raises InvalidInput that names the key at fault."""
        return payload.read(self.model_dump(exclude_unset=True))


class RetryView(View):
    """A temporary error that a step met."""

    at: datetime
    error: str
    pause_seconds: float = Field(description="For how long it then paused.")

    @classmethod
    def of(cls, retry: "Retry") -> "RetryView":
        """Write an error that was passed over."""
        return cls(at=retry.at, error=retry.error, pause_seconds=retry.pause.total_seconds())


class StepView(View):
    """A step that was begun."""

    kind: StepKind = Field(examples=["bring_up"])
    started_at: datetime
    ended_at: datetime | None = Field(description="null: it is under way.")
    outcome: Outcome | None = Field(description="null: it is under way.")
    text: str = Field(description="What came of it, or what it waits for.")
    retries: list[RetryView]

    @classmethod
    def of(cls, step: "Step") -> "StepView":
        """Write a step."""
        return cls(
            kind=step.kind,
            started_at=step.started_at,
            ended_at=step.ended_at,
            outcome=step.outcome,
            text=step.text,
            retries=[RetryView.of(each) for each in step.retries],
        )


class DeploymentView(View):
    """A deployment: what was ordered, and how far it has come."""

    id: str = Field(examples=["5f0c1a9d2b7e"])
    endpoint_name: str = Field(examples=["test-endpoint"])
    status: Status
    reason: str = Field(description="Why it failed or was cancelled; else empty.")
    actor: str = Field(description="Who asked for it.")
    owner: str = Field(description="Whose it is, as the lease.")
    cancelled_by: str = Field(description="Who called it off; empty: nobody.")
    begun_at: datetime
    ended_at: datetime | None
    took_seconds: float = Field(description="So far, or until it ended.")
    config_name: str = Field(description="The endpoint config to serve; empty: not known yet.")
    former_config_name: str = Field(
        description="What served before; empty: nothing, as far as is known."
    )
    steps: list[StepView] = Field(description="Those that were begun, in their order.")
    coming: list[StepKind] = Field(description="Those that follow, unless one fails.")
    expected_at: datetime | None = EXPECTED_AT
    expected_in_seconds: float | None = EXPECTED_IN
    warnings: list[str] = Field(description="What of the payload has no effect, and why.")
    order: dict[str, Any] = Field(
        description="The payload with all that was left out of it; it can be sent again."
    )
    version: int = Field(description="Counts the changes.")
    fleets: FleetsView | None = Field(
        default=None,
        description="While it runs: what runs of the endpoint, and its price, both fleets while "
        "there are two. null: it is over, it cannot be told, or this is one of a list.",
    )

    @classmethod
    def of(cls, facts: "Facts", now: datetime) -> "DeploymentView":
        """Write a deployment as of `now`."""
        told = facts.deployment
        return cls(
            id=told.id,
            endpoint_name=told.endpoint_name,
            status=told.status,
            reason=told.reason,
            actor=told.actor,
            owner=told.owner,
            cancelled_by=told.cancelled_by,
            begun_at=told.begun_at,
            ended_at=told.ended_at,
            took_seconds=((told.ended_at or now) - told.begun_at).total_seconds(),
            config_name=told.config_name,
            former_config_name=told.found.config_name if told.found else "",
            steps=[StepView.of(each) for each in told.steps],
            coming=[] if told.over else list(coming(told.steps)),
            expected_at=facts.expected_at,
            expected_in_seconds=seconds_to(facts.expected_at, now),
            warnings=list(told.order.warnings),
            order=payload.written(told.order),
            version=told.version,
            fleets=facts.fleets,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """A deployment, with what is not its own."""

    deployment: "Deployment"
    #: When its fleet will answer, as far as that is known.
    expected_at: datetime | None = None
    fleets: FleetsView | None = None


class DeploymentList(View):
    """One page of deployments."""

    deployments: list[DeploymentView]
    next: str | None = Field(description="Where the next page begins: give it as `after`.")
    unreadable: dict[str, str] = Field(
        description="Deployments that are damaged and left alone, by id, with the reason."
    )


class PlannedView(View):
    """A step, and what it would do."""

    kind: StepKind
    text: str


class ProblemView(View):
    """What is wrong with it, and what to do."""

    message: str
    hint: str


class PricesView(View):
    """What an hour of the endpoint costs."""

    before: SumView = Field(description="As it is now.")
    meanwhile: SumView = Field(description="While both fleets run.")
    after: SumView = Field(description="When it is done.")

    @classmethod
    def of(cls, prices: "Prices") -> "PricesView":
        """Write prices."""
        return cls(
            before=SumView.of(prices.before),
            meanwhile=SumView.of(prices.meanwhile),
            after=SumView.of(prices.after),
        )


class RehearsalView(View):
    """What a deployment would do, told without doing it."""

    endpoint_name: str
    config_name: str = Field(description="The endpoint config that would serve.")
    creates: bool = Field(description="Whether the endpoint would be created, not updated.")
    steps: list[PlannedView]
    hourly: PricesView
    quote: str = Field(
        description="What the lease would cost; empty: no time would be bought.",
        examples=["30 more minutes of 1 x ml.c5.xlarge: 0.10 USD"],
    )
    problems: list[ProblemView] = Field(
        description="Why it would be refused, or fail; empty: nothing is known to be wrong."
    )
    warnings: list[str] = Field(description="What of the payload has no effect, and why.")
    order: dict[str, Any] = Field(description="The payload with all that was left out of it.")

    @classmethod
    def of(cls, told: "Rehearsal") -> "RehearsalView":
        """Write a rehearsal."""
        return cls(
            endpoint_name=told.order.endpoint_name,
            config_name=told.config_name,
            creates=told.creates,
            steps=[PlannedView(kind=each.kind, text=each.text) for each in told.planned],
            hourly=PricesView.of(told.prices),
            quote=told.quote,
            problems=[ProblemView(message=e.message, hint=e.hint) for e in told.problems],
            warnings=list(told.order.warnings),
            order=payload.written(told.order),
        )
