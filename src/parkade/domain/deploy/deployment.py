"""What is stored of a deployment: everything that the next step needs, whoever takes it."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003  stores read these forms by their annotations
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from parkade.domain.catalog import EndpointConfig  # noqa: TC001
from parkade.domain.deploy import steps as stepping
from parkade.domain.deploy.order import Order  # noqa: TC001
from parkade.domain.deploy.steps import Outcome, Retry, Step, StepKind
from parkade.domain.scaling.policy import Policy  # noqa: TC001
from parkade.domain.scaling.target import ScalableTarget  # noqa: TC001


class Status(StrEnum):
    """How a deployment stands."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What there was before the deployment did anything."""

    #: The endpoint config that served; empty: there was no endpoint.
    config_name: str = ""
    #: Instances by variant, as they were wanted then.
    counts: Mapping[str, int] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    #: The endpoint config of its lease; empty: there was no lease.
    lease_config: str = ""
    #: Whether that lease was over.
    lease_over: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FormerScaling:
    """How the endpoint's variants were scaled before."""

    targets: tuple[ScalableTarget, ...] = ()
    policies: tuple[Policy, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """One deployment, as far as it has come."""

    id: str
    order: Order
    #: Who asked for it.
    actor: str
    #: Whose it is, for those who may see their own alone; as the lease's.
    owner: str
    status: Status
    begun_at: datetime
    ended_at: datetime | None = None
    steps: tuple[Step, ...] = ()
    #: Why it failed or was cancelled.
    reason: str = ""
    #: Who called it off; empty: nobody.
    cancelled_by: str = ""
    #: What LOOK found; None: it has not looked.
    found: Found | None = None
    #: How variants were scaled, as SCALING_OFF found it; None: it has not looked.
    scaling: FormerScaling | None = None
    #: The endpoint config that is to serve; None: not known yet.
    config: EndpointConfig | None = None
    #: Whether this deployment made that config, so that it may remove it.
    made_config: bool = False
    #: Counts writes.
    version: int = 0

    @property
    def endpoint_name(self) -> str:
        """The endpoint that it is about."""
        return self.order.endpoint_name

    @property
    def config_name(self) -> str:
        """The name of the endpoint config that is to serve; empty: not known yet."""
        return self.config.name if self.config else ""

    @property
    def creates(self) -> bool:
        """Whether there was no endpoint before."""
        return self.found is not None and not self.found.config_name

    @property
    def over(self) -> bool:
        """Whether nothing more is done for it."""
        return self.status is not Status.RUNNING

    @property
    def step(self) -> Step | None:
        """The step under way."""
        return self.steps[-1] if self.steps and self.steps[-1].outcome is None else None

    @property
    def following(self) -> StepKind | None:
        """The step to begin, or to take up again; None: all is done."""
        return stepping.following(self.steps)

    def begun_step(self, kind: StepKind) -> Step | None:
        """Return the step of this kind, if it was begun."""
        return next((step for step in self.steps if step.kind is kind), None)

    def stepping(self, kind: StepKind, now: datetime) -> Deployment:
        """Return it with a step begun."""
        return replace(self, steps=(*self.steps, Step(kind=kind, started_at=now)))

    def stepped(self, outcome: Outcome, text: str, now: datetime) -> Deployment:
        """Return it with the step under way at its end."""
        return self._with(replace(self.steps[-1], outcome=outcome, text=text, ended_at=now))

    def waiting(self, text: str) -> Deployment:
        """Return it with what the step under way waits for."""
        return self._with(replace(self.steps[-1], text=text))

    def retried(self, error: str, pause: timedelta, now: datetime) -> Deployment:
        """Return it with a temporary error that the step under way met."""
        last = self.steps[-1]
        retry = Retry(at=now, error=error, pause=pause)
        return self._with(replace(last, retries=(*last.retries, retry)))

    @property
    def paused_until(self) -> datetime | None:
        """When the step under way is tried again; None: it met no temporary error."""
        retries = self.step.retries if self.step else ()
        return retries[-1].at + retries[-1].pause if retries else None

    def hurried(self) -> Deployment:
        """Return it with no pause before the step under way is tried again."""
        if self.step is None or not self.step.retries:
            return self
        *former, last = self.step.retries
        return self._with(replace(self.step, retries=(*former, replace(last, pause=timedelta(0)))))

    def _with(self, last: Step) -> Deployment:
        return replace(self, steps=(*self.steps[:-1], last))
