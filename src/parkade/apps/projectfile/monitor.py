"""`monitor`: thresholds, alarms, and who hears of them."""

from typing import Annotated, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from parkade.apps.projectfile.base import Amount, Count, Key, Section, Topic
from parkade.apps.projectfile.references import TextOrReference

Period = Annotated[int, Field(ge=10, le=86_400)]
Number = Annotated[float, Field(allow_inf_nan=False)]
#: What a value can be compared with; one of them.
COMPARISONS = ("above", "at_least", "below", "at_most")


class Thresholds(Section):
    """The three alarms over all routes of the project, at so many or more; null: without that one."""

    calls: Amount | None = Field(default=100, description="calls in a period.")
    errors_4xx: Amount | None = Field(default=20, description="answers of 400 to 499 in a period.")
    errors_5xx: Amount | None = Field(default=20, description="answers of 500 to 599 in a period.")
    period_seconds: Period = Field(default=60, description="seconds of a period.")
    periods: Count = Field(default=1, description="periods in a row that have to reach it.")


class AlarmSetting(Section):
    """One alarm, on an endpoint, one of its variants, or a route."""

    endpoint: Key | None = Field(default=None, description="key of the endpoint that it is on.")
    variant: Key | None = Field(
        default=None,
        description="name of the variant; null: at each time the worst of all of them.",
    )
    route: str | None = Field(default=None, description="path of the route that it is on.")
    metric: Annotated[str, Field(min_length=1, max_length=255)] = Field(
        description="name of the metric: `ModelLatency` (microseconds), `Invocation5XXErrors`; of "
        "a route `Count`, `4XXError`, `5XXError`, `Latency` (milliseconds)."
    )
    namespace: Annotated[str, Field(min_length=1)] | None = Field(
        default=None, description="namespace of the metric; null: the one that has it."
    )
    statistic: (
        Annotated[
            str,
            Field(
                pattern=r"^(Average|Sum|Minimum|Maximum|SampleCount|p\d{1,2}(\.\d{1,10})?|p100)$"
            ),
        ]
        | None
    ) = Field(
        default=None,
        description="of each period: `Average`, `Sum`, `p99` ...; null: what says most of the "
        "metric, `Sum` of counts and `p99` of latencies.",
    )
    above: Number | None = Field(default=None, description="in alarm above this.")
    at_least: Number | None = Field(default=None, description="in alarm at this, and above.")
    below: Number | None = Field(default=None, description="in alarm below this.")
    at_most: Number | None = Field(default=None, description="in alarm at this, and below.")
    period_seconds: Period = Field(default=60, description="seconds of a period.")
    periods: Count = Field(default=1, description="periods that are looked at.")
    datapoints: Count | None = Field(
        default=None, description="so many of them have to be beyond it; null: all."
    )
    missing: Literal["breaching", "not_breaching", "ignore", "missing"] = Field(
        default="not_breaching", description="what a period without a point counts as."
    )
    description: Annotated[str, Field(max_length=1024)] = Field(
        default="", description="a line for people."
    )
    topics: Annotated[list[Topic], Field(max_length=5)] = Field(
        default=[], description="ARNs of topics that are told when it is in alarm."
    )

    @property
    def threshold(self) -> tuple[str, float]:
        """Which comparison is given, and with what."""
        return next(
            (name, value) for name in COMPARISONS if (value := getattr(self, name)) is not None
        )

    @model_validator(mode="after")
    def _one_each(self) -> Self:
        if (self.endpoint is None) == (self.route is None):
            raise ValueError("give exactly one of endpoint and route")
        if self.variant is not None and self.endpoint is None:
            raise ValueError("variant goes with endpoint")
        if sum(getattr(self, name) is not None for name in COMPARISONS) != 1:
            raise ValueError("give exactly one of " + ", ".join(COMPARISONS))
        if self.datapoints is not None and self.datapoints > self.periods:
            raise ValueError(f"datapoints {self.datapoints} is more than periods {self.periods}")
        return self


class SubscriberSetting(Section):
    """Who hears of the project's alarms and endpoints, and of nothing else."""

    name: Key = Field(description="its name, each once.")
    kind: Literal["webhook", "email", "slack"] = Field(description="how it is reached.")
    to: list[str] = Field(default=[], description="email: addresses.")
    url: TextOrReference = Field(default="", description="webhook, slack: where to post.")
    secret: TextOrReference | None = Field(
        default=None,
        description="webhook: reference to the `whsec_` secret that deliveries are signed with.",
    )
    kinds: list[str] | None = Field(
        default=None,
        description="kinds of events, or nouns such as `lease.`; null: changes of alarms, what "
        "failed, and notices. Of changes of alarms those into ALARM and out of it.",
    )
    endpoints: list[Key] = Field(
        default=[],
        description="keys of endpoints: of these alone, of alarms that are on no endpoint, and of "
        "how applications end; empty: of the whole project.",
    )
    owners: list[str] = Field(default=[], description="owners; empty: all.")
    shape: Literal["parkade", "eventbridge"] = Field(
        default="parkade", description="webhook: the form of what is delivered."
    )

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        needed = "to" if self.kind == "email" else "url"
        if not getattr(self, needed):
            raise ValueError(f"{needed} is missing: a subscriber of kind {self.kind} needs it")
        return self


def _form(given: object) -> str:
    return IN_FULL if isinstance(given, dict | SubscriberSetting) else BY_ADDRESS


BY_ADDRESS, IN_FULL = "(address)", "(subscriber)"
_Mail = Annotated[str, Field(pattern=r"^[^@\s<>,;\"\\]{1,64}@[^@\s<>,;\"\\]{1,190}$")]
Listener = Annotated[
    Annotated[_Mail, Tag(BY_ADDRESS)] | Annotated[SubscriberSetting, Tag(IN_FULL)],
    Discriminator(_form),
]


class MonitorSetting(Section):
    """What is watched, and who hears of it."""

    thresholds: Thresholds | None = Field(
        default=None,
        description="alarms on calls and errors of all routes; null: without. `{}`: at 100 calls, "
        "20 answers of 4xx and 20 of 5xx a minute.",
    )
    alarms: dict[Key, AlarmSetting] = Field(default={}, description="alarms by their keys.")
    subscribers: list[Listener] = Field(
        default=[],
        description="e-mail addresses, or subscribers in full; addresses hear of the project's "
        "alarms, of what failed, and of notices.",
    )
