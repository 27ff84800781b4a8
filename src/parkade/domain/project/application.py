"""What is stored of one application of a project: its steps, each as far as it has come."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta  # noqa: TC003  stores read these forms by their annotations
from enum import StrEnum

from parkade.domain.deploy.steps import Outcome, Retry
from parkade.domain.project.difference import Verb
from parkade.domain.project.part import Kind, Part, Ref
from parkade.domain.project.project import Project  # noqa: TC001


class Purpose(StrEnum):
    """What an application is for."""

    APPLY = "apply"
    #: To the document before.
    ROLL_BACK = "roll_back"
    DESTROY = "destroy"


class Status(StrEnum):
    """How an application stands."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What is done about one part. A model that is replaced has two: the new one, the old one."""

    verb: Verb
    kind: Kind
    name: str
    key: str
    #: None: it is not begun.
    started_at: datetime | None = None
    #: Whether the keeper was asked, and what it does is waited for.
    asked: bool = False
    #: Whether the keeper was asked to call it off.
    called_off: bool = False
    ended_at: datetime | None = None
    #: None: it is under way, or not begun.
    outcome: Outcome | None = None
    #: What came of it, or what it waits for, for people.
    text: str = ""
    retries: tuple[Retry, ...] = ()

    @property
    def ref(self) -> Ref:
        """The part that it is about."""
        return Ref(kind=self.kind, name=self.name)

    @property
    def removes(self) -> bool:
        """Whether it takes the part away."""
        return self.verb is Verb.REMOVE

    @property
    def open(self) -> bool:
        """Whether it is under way."""
        return self.started_at is not None and self.outcome is None

    @property
    def paused_until(self) -> datetime | None:
        """When it is tried again after a temporary error; None: it met none."""
        return self.retries[-1].at + self.retries[-1].pause if self.retries else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """One application of a project, as far as it has come."""

    id: str
    prefix: str
    purpose: Purpose
    #: Who asked for it.
    actor: str
    #: What it is to come to; None: the project is to be destroyed, or the application is over.
    project: Project | None
    #: The difference that it carries out.
    plan_id: str
    #: All of its steps, in their order; those not begun as well.
    steps: tuple[Step, ...]
    status: Status
    begun_at: datetime
    ended_at: datetime | None = None
    #: The fingerprint of `project`, which outlives it; empty: the project is to be destroyed.
    digest: str = ""
    #: Why it failed or was cancelled.
    reason: str = ""
    #: Who called it off; empty: nobody.
    cancelled_by: str = ""
    #: What stays after a removal, such as captured data.
    stays: tuple[str, ...] = ()
    #: Counts writes.
    version: int = 0

    @property
    def over(self) -> bool:
        """Whether nothing more is done for it."""
        return self.status is not Status.RUNNING

    @property
    def failed(self) -> tuple[Step, ...]:
        """The steps that failed."""
        return tuple(step for step in self.steps if step.outcome is Outcome.FAILED)

    @property
    def remaining(self) -> tuple[Step, ...]:
        """The steps that are not begun."""
        return tuple(step for step in self.steps if step.started_at is None)

    def open_steps(self) -> tuple[int, ...]:
        """Return where the steps stand that are under way."""
        return tuple(number for number, step in enumerate(self.steps) if step.open)

    def following(self) -> int | None:
        """Return where the next step stands that may be begun now; None: none may.

        Steps of one kind go side by side, all others one after another.
        """
        number = next((n for n, step in enumerate(self.steps) if step.started_at is None), None)
        if number is None:
            return None
        following = self.steps[number]
        alike = all(
            (self.steps[n].kind, self.steps[n].removes) == (following.kind, following.removes)
            for n in self.open_steps()
        )
        return number if alike else None

    def part(self, step: Step) -> Part:
        """Return what a step that makes something makes. Raises KeyError for one that removes."""
        for part in self.project.parts if self.project else ():
            if part.ref == step.ref:
                return part
        raise KeyError(str(step.ref))

    def errand_id(self, number: int) -> str:
        """Return what a step is known by to its keeper, each time that it is done again."""
        return f"{self.id}.{number}"

    def with_step(self, number: int, step: Step) -> Application:
        """Return it with another state of a step."""
        return replace(self, steps=(*self.steps[:number], step, *self.steps[number + 1 :]))

    def retried(self, number: int, error: str, pause: timedelta, now: datetime) -> Application:
        """Return it with a temporary error that a step met."""
        step = self.steps[number]
        retry = Retry(at=now, error=error, pause=pause)
        return self.with_step(number, replace(step, retries=(*step.retries, retry)))
