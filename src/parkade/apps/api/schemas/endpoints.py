"""The forms of endpoints: what runs, what should, and who pays."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from pydantic import Field

from parkade.apps.api.schemas.fleets import FleetsView
from parkade.apps.api.schemas.form import View
from parkade.apps.api.schemas.leases import EXPECTED_AT, EXPECTED_IN, LeaseView, seconds_to
from parkade.apps.api.schemas.money import CostsView
from parkade.apps.api.schemas.rollouts import RolloutView
from parkade.apps.api.schemas.scaling import CapacityView, CountView
from parkade.apps.api.schemas.sleep import SleepView
from parkade.apps.api.schemas.terms import TermsView
from parkade.domain.standing import standing, unlimited, unmeasured

if TYPE_CHECKING:
    from collections.abc import Sequence

    from parkade.apps.control.traffic import Traffic
    from parkade.domain.endpoint import ObservedEndpoint
    from parkade.domain.lease import Lease
    from parkade.domain.standing import Expected, Refusal
    from parkade.domain.terms import Terms
    from parkade.runtime import backlog
    from parkade.runtime.views import InstanceStatus

#: Status of an endpoint that hosting does not have.
ABSENT = "Absent"
#: State of an endpoint whose lease is damaged; the domain has no word for it, for it decides nothing.
UNREADABLE = "unreadable"


class InstanceView(View):
    """One running container of an endpoint."""

    id: str
    variant_name: str
    pid: int | None
    state: str
    started_at: datetime
    restarts: int


class BacklogView(View):
    """Asynchronous requests that have not ended."""

    waiting: int
    running: int
    oldest_seconds: float | None = Field(description="Age of the oldest that waits.")


class EndpointView(View):
    """An endpoint: as hosting sees it, and as its lease wants it."""

    name: str = Field(examples=["falcon"])
    status: str = Field(
        description="SageMaker's status, or Absent: leased, but not there.", examples=["InService"]
    )
    state: str = Field(
        description="running, starting, stopping, expired, stopped, idle, budget or failed; "
        "unreadable where the lease is damaged.",
        examples=["running"],
    )
    reason: str = Field(examples=["running"])
    hint: str = Field(description="What to do about it; may be empty.")
    expected_at: datetime | None = EXPECTED_AT
    expected_in_seconds: float | None = EXPECTED_IN
    config_name: str
    generation: int = Field(description="Rises with each update that was brought up.")
    target_config_name: str = Field(
        description="While it is Updating: the endpoint config that is being brought up."
    )
    rollout: RolloutView | None = Field(
        default=None, description="How far an update in stages has come; null: none is under way."
    )
    created_at: datetime | None
    changed_at: datetime | None
    failure_reason: str
    healthy: int = Field(description="Instances that answer.")
    wanted: int = Field(description="Instances there should be.")
    lease: LeaseView | None
    requests_per_second: float
    in_flight: int
    backlog: BacklogView
    capacities: list[CountView] = Field(
        default=[], description="Its variants, or inference components, with their numbers."
    )
    instances: list[InstanceView]
    terms: TermsView | None = Field(
        default=None, description="What is settled about it; null: nothing, or as part of a list."
    )
    sleep: SleepView | None = Field(
        default=None,
        description="How it sleeps; null: it is awake or over, or this is one of a list.",
    )
    cost: CostsView | None = Field(
        default=None,
        description="What it cost under its lease so far; null: it has none, it cannot be told, or "
        "this is one of a list.",
    )
    scaling: list[CapacityView] | None = Field(
        default=None,
        description="What of it is scaled, by which rules, and what was decided last; null: it cannot "
        "be told, or this is one of a list.",
    )
    fleets: FleetsView | None = Field(
        default=None,
        description="What runs of it now, and its price: both fleets while it is updated. null: it "
        "cannot be told, or this is one of a list.",
    )


class EndpointList(View):
    """One page of endpoints."""

    endpoints: list[EndpointView]
    next: str | None = Field(description="Where the next page begins: give it as `after`.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that is known of one endpoint."""

    name: str
    lease: "Lease | None"
    #: Why the lease cannot be read; empty where it can, or where there is none.
    unreadable: str
    seen: "ObservedEndpoint | None"
    traffic: "Traffic"
    backlog: "backlog.BacklogView"
    instances: "Sequence[InstanceStatus]"
    #: How long starts of an endpoint config take.
    expected: "Expected" = unmeasured
    terms: "Terms | None" = None
    #: Why the time that a request would buy is not paid for.
    refusal: "Refusal" = unlimited


def endpoint_view(facts: Facts, now: datetime) -> EndpointView:
    """Write an endpoint as of `now`."""
    state, reason, hint, expected_at = _stands(facts, now)
    seen, lease = facts.seen, facts.lease
    return EndpointView(
        name=facts.name,
        status=seen.status if seen else ABSENT,
        state=state,
        reason=reason,
        hint=hint,
        expected_at=expected_at,
        expected_in_seconds=seconds_to(expected_at, now),
        config_name=seen.config_name if seen else lease.config_name if lease else "",
        generation=seen.generation if seen else 0,
        target_config_name=seen.target_config_name if seen else "",
        rollout=RolloutView.of(seen.rollout) if seen and seen.rollout else None,
        created_at=seen.created_at if seen else None,
        changed_at=seen.changed_at if seen else None,
        failure_reason=seen.failure_reason if seen else "",
        healthy=seen.healthy if seen else 0,
        wanted=seen.wanted if seen else 0,
        lease=LeaseView.of(
            lease,
            seen,
            now,
            expected=facts.expected,
            terms=facts.terms,
            refusal=facts.refusal,
        )
        if lease
        else None,
        requests_per_second=facts.traffic.requests_per_second,
        in_flight=facts.traffic.in_flight,
        backlog=BacklogView(
            waiting=facts.backlog.waiting,
            running=facts.backlog.running,
            oldest_seconds=None
            if facts.backlog.oldest is None
            else facts.backlog.oldest.total_seconds(),
        ),
        instances=[
            InstanceView(
                id=each.id,
                variant_name=each.variant_name,
                pid=each.pid,
                state=each.state,
                started_at=each.started_at,
                restarts=each.restarts,
            )
            for each in facts.instances
        ],
    )


def _stands(facts: Facts, now: datetime) -> tuple[str, str, str, datetime | None]:
    if facts.unreadable:
        hint = "it is left alone, whatever it does; look at its row in the database"
        return UNREADABLE, f"its lease cannot be read: {facts.unreadable}", hint, None
    stands = standing(
        facts.lease,
        facts.seen,
        now,
        expected=facts.expected,
        terms=facts.terms,
        refusal=facts.refusal,
    )
    if stands is None:
        return ABSENT.lower(), "", "", None
    return stands.state, stands.reason, stands.hint, stands.expected_at
