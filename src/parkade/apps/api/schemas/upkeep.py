"""The forms of the maintainer: what is watched and why, tags, undo."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, JsonValue

from parkade.apps.api.schemas.events import EventView
from parkade.apps.api.schemas.form import Form, Minutes, View
from parkade.apps.api.schemas.leases import EXPECTED_AT, EXPECTED_IN, seconds_to
from parkade.domain.actions import ActionKind
from parkade.domain.event import in_minutes
from parkade.domain.idle import LONGEST, MOST_WINDOWS

if TYPE_CHECKING:
    from parkade.domain.idle import IdleRules, Reading, Use
    from parkade.domain.ladder import Step, Watch
    from parkade.domain.watching import Asked
    from parkade.services.undo import Undoable
    from parkade.services.why import Why


class RulesView(View):
    """A ladder: counts are of windows without use; null: never."""

    grace_minutes: float = Field(description="From InService to the first window.")
    window_minutes: float
    notice_after: int | None
    stop_after: int | None
    delete_after_minutes: float | None = Field(
        description="From a stop for idleness to the removal of the lease."
    )

    @classmethod
    def of(cls, rules: "IdleRules") -> "RulesView":
        """Write a ladder."""
        return cls.model_validate(rules.written())


class ReadingView(View):
    """What is known of one series."""

    series: str = Field(examples=["AWS/SageMaker Invocations EndpointName=falcon VariantName=main"])
    quiet_since: datetime | None = Field(
        description="Since when it is known and zero; null: it is not."
    )
    newest_point: datetime | None
    why: str = Field(description="Why it is not quiet; may be empty.")

    @classmethod
    def of(cls, reading: "Reading") -> "ReadingView":
        """Write a reading."""
        return cls(
            series=str(reading.series),
            quiet_since=reading.quiet_since,
            newest_point=reading.newest,
            why=reading.why,
        )


class UseView(View):
    """How an endpoint is used; null: it is not known."""

    series: list[ReadingView]
    in_flight: int | None
    backlog: int | None
    used_at: datetime | None = Field(description="When an invocation was last seen.")
    why_not_idle: str = Field(description="Why it cannot be said to be idle; empty where it can.")

    @classmethod
    def of(cls, use: "Use") -> "UseView":
        """Write a use."""
        return cls(
            series=[ReadingView.of(each) for each in use.readings],
            in_flight=use.in_flight,
            backlog=use.backlog,
            used_at=use.used_at,
            why_not_idle=use.why_not,
        )


class WatchView(View):
    """What the maintainer remembers of an endpoint."""

    by: str = Field(description="What opted in.", examples=["tag auto-maintain=true"])
    rules: RulesView
    in_service_at: datetime
    since: datetime = Field(description="Since when it is watched, by these rules.")
    noticed_at: datetime | None
    snoozed_until: datetime | None

    @classmethod
    def of(cls, watch: "Watch") -> "WatchView":
        """Write a watch."""
        return cls(
            by=watch.by,
            rules=RulesView.of(watch.rules),
            in_service_at=watch.in_service_at,
            since=watch.since,
            noticed_at=watch.noticed_at,
            snoozed_until=watch.snoozed_until,
        )


class LadderView(View):
    """Where an endpoint stands on the ladder."""

    rung: str | None = Field(description="What is due now: notice, stop or unknown; null: nothing.")
    reason: str
    idle_since: datetime | None
    next_at: datetime | None

    @classmethod
    def of(cls, step: "Step") -> "LadderView":
        """Write a step."""
        return cls(
            rung=step.rung, reason=step.reason, idle_since=step.idle_since, next_at=step.next_at
        )


class DueView(View):
    """What a sweep would do now."""

    kind: ActionKind
    reason: str


class WhyView(View):
    """Why an endpoint runs, or does not."""

    endpoint_name: str
    now: datetime
    state: str = Field(description="As of the endpoint; absent: neither leased nor there.")
    reason: str
    hint: str
    expected_at: datetime | None = EXPECTED_AT
    expected_in_seconds: float | None = EXPECTED_IN
    actions: list[DueView]
    next_at: datetime | None = Field(
        description="When time alone changes what a sweep does; null: only something that happens."
    )
    watch: WatchView | None = Field(description="null: the maintainer does not watch it.")
    unusable: str = Field(description="What of its tags or terms cannot be used; may be empty.")
    ladder: LadderView | None
    use: UseView | None = Field(description="null: it is not in service.")
    decision: EventView | None = Field(
        description="The last decision about it; its evidence is in `data`."
    )

    @classmethod
    def of(cls, why: "Why") -> "WhyView":
        """Write the reasons."""
        stands = why.standing
        expected_at = stands.expected_at if stands else None
        return cls(
            endpoint_name=why.endpoint_name,
            now=why.now,
            state=stands.state if stands else "absent",
            reason=stands.reason if stands else "nothing runs, and no lease says that it should",
            hint=stands.hint if stands else "",
            expected_at=expected_at,
            expected_in_seconds=seconds_to(expected_at, why.now),
            actions=[DueView(kind=each.kind, reason=each.reason) for each in why.actions],
            next_at=why.next_at,
            watch=WatchView.of(why.watch) if why.watch else None,
            unusable=why.unusable,
            ladder=LadderView.of(why.step) if why.step else None,
            use=UseView.of(why.use) if why.use else None,
            decision=EventView.of(why.decision) if why.decision else None,
        )


class TagsForm(Form):
    """Tags to set."""

    tags: dict[str, str] = Field(examples=[{"auto-maintain": "true"}])


class TagsView(View):
    """All tags of an endpoint."""

    tags: dict[str, str]


class SnoozeForm(Form):
    """For how long the ladder rests."""

    minutes: Minutes | None = Field(
        None, description="Left out: maintain.snooze_minutes of the server.", examples=[60]
    )


#: The rules' own bounds are told by them; this keeps what no span of time can hold from them.
Number = Annotated[float, Field(ge=0, le=LONGEST / timedelta(minutes=1), strict=True)]
Windows = Annotated[int, Field(ge=1, le=MOST_WINDOWS, strict=True)]


class MaintainForm(Form):
    """Whether the maintainer watches, and by which timers; what is left out stays as it is."""

    watch: Literal["on", "off", "by_tag"] = Field(
        "on",
        description="off: it is left alone, whatever its tags say; by_tag: its tags say.",
    )
    grace_minutes: Number | None = None
    window_minutes: Number | None = None
    notice_after: Windows | None = Field(None, description="Windows; null: never.")
    stop_after: Windows | None = Field(None, description="Windows; null: never.")
    delete_after_minutes: Number | None = Field(None, description="null: never.")

    def timers(self) -> dict[str, Any]:
        """Return the timers that were given, by the names that rules have for them."""
        given: dict[str, Any] = {}
        for name in self.model_fields_set - {"watch"}:
            value = getattr(self, name)
            if name.endswith("_minutes"):
                if value is None and name != "delete_after_minutes":
                    continue
                span = None if value is None else timedelta(minutes=value)
                given[name.removesuffix("_minutes")] = span
            else:
                given[name] = value
        return given


class MaintainView(View):
    """How an endpoint is watched once it is in service."""

    watched: bool
    by: str = Field(description="What opted in; empty where nothing did.")
    rules: RulesView | None
    unusable: str = Field(description="What of its tags cannot be used; may be empty.")

    @classmethod
    def of(cls, asked: "Asked | None") -> "MaintainView":
        """Write how it is watched."""
        return cls(
            watched=asked is not None,
            by=asked.by if asked else "",
            rules=RulesView.of(asked.rules) if asked else None,
            unusable=asked.unusable if asked else "",
        )


class UndoableView(View):
    """What can be brought back."""

    endpoint_name: str
    config_name: str
    removed_at: datetime
    until: datetime = Field(description="Until when it can be brought back.")
    leased: bool
    minutes: float | None = Field(
        description="The time that is given back to its lease; null: it had none."
    )
    tags: dict[str, JsonValue]

    @classmethod
    def of(cls, found: "Undoable") -> "UndoableView":
        """Write what can be brought back."""
        return cls(
            endpoint_name=found.remains.endpoint_name,
            config_name=found.remains.blueprint.config.name,
            removed_at=found.remains.removed_at,
            until=found.until,
            leased=found.time is not None,
            minutes=None if found.time is None else in_minutes(found.time),
            tags=dict(found.remains.tags),
        )


class UndoList(View):
    """All that can be brought back."""

    endpoints: list[UndoableView]
