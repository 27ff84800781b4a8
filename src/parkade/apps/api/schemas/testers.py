"""The forms of testers."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pydantic import Field

from parkade.apps.api.schemas.form import Form, View
from parkade.domain.errors import ParkadeError
from parkade.domain.tester import order
from parkade.domain.tester.course import Course

if TYPE_CHECKING:
    from parkade.domain.tester.tester import Run, Tester

_USUAL = Course()


class TesterForm(Form):
    """What a tester asks, and when. Exactly one of `endpoint_name` and `route` is given."""

    endpoint_name: str | None = Field(None, examples=["text"])
    route: str | None = Field(None, examples=["/text"])
    variant: str | None = Field(None, description="Of the endpoint; left out: by weight.")
    cases: list[dict[str, Any]] | str = Field(
        description="`{id, input, expected}` each, as in a model's `test/input_data.json`; or the "
        "`s3://` address of such a file.",
        examples=[[{"id": "1", "input": {"sentence": "good"}, "expected": {"label": 1}}]],
    )
    clients: int = Field(_USUAL.clients, strict=True, description="How many ask side by side.")
    interval_seconds: float = Field(
        _USUAL.interval, description="From one call of a client to its next."
    )
    duration_seconds: float = Field(
        _USUAL.duration, description="How long they go on; 0: each client asks every case once."
    )
    timeout_seconds: float = Field(
        _USUAL.timeout, description="An answer that takes longer counts as none."
    )
    schedule: str | None = Field(
        None,
        description="`rate(5 minutes)`, `cron(0 9 ? * MON-FRI *)` or `at(2026-11-23T09:00:00)`; left "
        "out: it runs when it is asked to.",
    )
    timezone: str | None = Field(None, examples=["Europe/Berlin"])
    project: str | None = Field(None, description="The dimension Project of what it measures.")
    stage: str | None = Field(None, description="The dimension Stage.")


class RunView(View):
    """A run of a tester, or why there was none."""

    began_at: datetime
    ended_at: datetime
    verdict: str = Field(
        description="passed; failed: a case was; broken: nothing could be asked; or skipped."
    )
    reason: str = Field(examples=["all 300 calls were answered as expected"])
    by: str = Field(description="`schedule`, or the name of the token that asked for it.")
    report: dict[str, Any] = Field(
        description="What came of it: `total` and `cases` with counts and times in milliseconds, "
        "`failures`, `windows` over time. Empty where nothing was asked."
    )

    @classmethod
    def of(cls, run: "Run") -> "RunView":
        """Write a run."""
        return cls(
            began_at=run.began_at,
            ended_at=run.ended_at,
            verdict=run.verdict,
            reason=run.reason,
            by=run.by,
            report=dict(run.report),
        )


class TesterView(View):
    """A tester that the server keeps."""

    name: str = Field(examples=["TextClassificationDemo-tester"])
    content: dict[str, Any] = Field(description="As it was set, with every member.")
    created_at: datetime = Field(description="When it was set last; a rate counts from here.")
    next_at: datetime | None = Field(description="Its next time; null: it has none.")
    running_since: datetime | None = Field(
        description="Since when a run is under way, or waits for its turn; null: none is."
    )
    last: RunView | None = Field(description="The newest run that asked something, or tried to.")
    skipped: RunView | None = Field(
        description="Why the newest time of its schedule came to nothing; null: it did not."
    )
    trouble: str = Field("", description="Why it cannot run as it is set; empty: it can.")

    @classmethod
    def of(cls, tester: "Tester", now: datetime, under_way: Mapping[str, datetime]) -> "TesterView":
        """Write a tester as of now."""
        next_at, trouble = None, ""
        try:
            next_at = tester.next_after(order.read(tester.content), now)
        except ParkadeError as error:
            trouble = error.message
        return cls(
            name=tester.name,
            content=dict(tester.content),
            created_at=tester.created_at,
            next_at=next_at,
            running_since=under_way.get(tester.name),
            last=RunView.of(tester.last) if tester.last else None,
            skipped=RunView.of(tester.skipped) if tester.skipped else None,
            trouble=trouble,
        )


class TesterList(View):
    """One page of testers."""

    testers: list[TesterView]
    next: str | None = Field(description="Where the next page begins: give it as `after`.")
    unreadable: dict[str, str] = Field(
        description="Testers that are damaged and left alone, by name, with the reason."
    )
