"""What hypothesis draws: leases, endpoints and rules in every shape that can occur."""

from datetime import timedelta

from hypothesis import strategies as st

from parkade.domain.endpoint import EndpointStatus
from parkade.domain.idle import IdleRules
from parkade.domain.lease import EndReason
from tests.builders import (
    NOW,
    a_lease,
    a_reading,
    a_watch,
    an_endpoint,
    some_rules,
    some_use,
)

NAMES = ("ant", "bee", "cat", "dog")

spans = st.integers(min_value=1, max_value=10_080 * 60_000).map(
    lambda ms: timedelta(milliseconds=ms)
)
offsets = st.integers(min_value=-86_400_000, max_value=86_400_000).map(
    lambda ms: timedelta(milliseconds=ms)
)
instants = offsets.map(lambda offset: NOW + offset)
warnings = st.frozensets(
    st.sampled_from([timedelta(minutes=m) for m in (1, 2, 5, 10, 60)]), max_size=4
)


@st.composite
def rules(draw):
    return some_rules(
        warnings=tuple(sorted(draw(warnings), reverse=True)),
        max_retries=draw(st.integers(min_value=0, max_value=5)),
    )


@st.composite
def leases(draw, name="falcon"):
    """A lease as the rules can leave it: an ended one has no time left when it ends."""
    expires_at = draw(instants)
    ended = draw(st.sampled_from([None, *EndReason]))
    ended_at = None if ended is None else expires_at + abs(draw(offsets))
    failed = draw(st.booleans())
    asleep = ended is None and draw(st.booleans())
    # Only what has time left falls asleep.
    asleep_at = min(draw(instants), expires_at - timedelta.resolution) if asleep else None
    return a_lease(
        endpoint_name=name,
        created_at=NOW - timedelta(days=30),
        expires_at=expires_at,
        ended=ended,
        ended_at=ended_at,
        retries=draw(st.integers(min_value=0, max_value=6)),
        refused_at=draw(instants) if failed else None,
        failure="no room" if failed else "",
        warned=draw(warnings),
        version=draw(st.integers(min_value=1, max_value=9)),
        paid_until=draw(st.none() | st.just(expires_at - timedelta(minutes=5))),
        asleep_at=asleep_at,
        paused_at=asleep_at if asleep and draw(st.booleans()) else None,
        wanted_at=draw(st.none() | instants),
        woken=abs(draw(offsets)) * draw(st.sampled_from([0, 1])),
    )


@st.composite
def endpoints(draw, name="falcon"):
    changed_at = draw(instants)
    status = draw(st.sampled_from(list(EndpointStatus)))
    return an_endpoint(
        status,
        name=name,
        created_at=changed_at - timedelta(hours=1),
        changed_at=changed_at,
        failure_reason="out of memory" if status is EndpointStatus.FAILED else "",
        asleep=status in {EndpointStatus.IN_SERVICE, EndpointStatus.UPDATING}
        and draw(st.booleans()),
        awake_since=draw(st.none() | instants),
        changing=draw(st.sampled_from([False, False, True])),
    )


counts = st.none() | st.integers(min_value=1, max_value=5)
short = st.integers(min_value=60, max_value=3600).map(lambda s: timedelta(seconds=s))


@st.composite
def idle_rules(draw):
    return IdleRules(
        grace=draw(short),
        window=draw(short),
        notice_after=draw(counts),
        stop_after=draw(counts),
        delete_after=draw(st.none() | short),
    )


@st.composite
def readings(draw, variant="blue"):
    """A variant that is quiet, used, or not known."""
    kind = draw(st.sampled_from(["quiet", "quiet", "quiet", "used", "unknown"]))
    quiet = kind == "quiet"
    return a_reading(
        variant,
        quiet_since=draw(instants) if quiet else None,
        why="" if quiet else kind,
        used=kind == "used",
    )


@st.composite
def uses(draw):
    """Any use of up to three variants; what is quiet since later than now was used just now."""
    variants = draw(st.integers(min_value=0, max_value=3))
    number = st.sampled_from([0, 0, 0, 0, 1, None])
    made = tuple(draw(readings(f"v{each}")) for each in range(variants))
    return some_use(readings=made, in_flight=draw(number), backlog=draw(number))


@st.composite
def quiet_uses(draw):
    """A use that is known, and none."""
    since = draw(st.lists(instants, min_size=1, max_size=3))
    return some_use(*(a_reading(f"v{i}", quiet_since=each) for i, each in enumerate(since)))


@st.composite
def watches(draw, name="falcon", created_at=None):
    begun = created_at or draw(instants)
    in_service_at = begun + abs(draw(offsets))
    since = in_service_at + abs(draw(offsets)) * draw(st.sampled_from([0, 1]))
    snoozed = draw(st.none() | instants)
    return a_watch(
        endpoint_name=name,
        created_at=begun,
        in_service_at=in_service_at,
        since=since,
        rules=draw(idle_rules()),
        noticed_at=draw(st.none() | instants),
        snoozed_at=snoozed,
        snoozed_until=snoozed and snoozed + draw(short),
        unknown_since=draw(st.none() | instants),
    )


@st.composite
def worlds(draw):
    """Leases, endpoints and unreadable names, at an instant, under rules."""
    leased = draw(st.sets(st.sampled_from(NAMES)))
    seen = draw(st.sets(st.sampled_from(NAMES)))
    damaged = draw(st.sets(st.sampled_from(sorted(set(NAMES) - leased)))) if len(leased) < 4 else ()
    return {
        "now": draw(instants),
        "leases": tuple(draw(leases(name=name)) for name in sorted(leased)),
        "endpoints": {name: draw(endpoints(name=name)) for name in sorted(seen)},
        "rules": draw(rules()),
        "unreadable": dict.fromkeys(sorted(damaged), "expires_at is not an instant"),
    }
