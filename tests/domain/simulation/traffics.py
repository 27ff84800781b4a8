"""Traffic in short: `traffic(0, 5, 60)` is a request at each of these minutes after START."""

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from parkade.domain.simulation.replay import replay
from parkade.domain.simulation.rule import parse
from parkade.domain.simulation.traffic import Burst, Period, Traffic

#: A Monday.
START = datetime(2026, 1, 5, tzinfo=UTC)
DAY = Period(start=START, end=START + timedelta(days=1))


def traffic(*minutes, count=1):
    return Traffic(Burst(at=START + timedelta(minutes=each), count=count) for each in minutes)


def outcome(rule, *minutes, days=1, start=60):
    """What a rule comes to for requests at these minutes."""
    period = Period(start=START, end=START + timedelta(days=days))
    given = minutes[0] if minutes and isinstance(minutes[0], Traffic) else traffic(*minutes)
    return replay("falcon", given, parse(f"it: {rule}", start=timedelta(seconds=start)), period)


def hours(amount):
    return timedelta(hours=amount)


bursts = st.builds(
    lambda minute, count, seconds: Burst(
        at=START + timedelta(minutes=minute), count=count, lasting=timedelta(seconds=seconds)
    ),
    st.integers(0, 24 * 60 - 1),
    st.integers(1, 50),
    st.sampled_from([0, 1, 60, 60, 60, 1800]),
)
traffics = st.lists(bursts, max_size=60).map(Traffic)
#: What a rule can be made of; an empty part says nothing.
texts = st.builds(
    lambda *parts: " ".join(part for part in parts if part),
    st.sampled_from(["lease=60", "lease=30", "lease=7", "lease=240 back=0"]),
    st.sampled_from(["", "idle=3x5", "idle=1x2 grace=0", "idle=2x30"]),
    st.sampled_from(["", "keep=15/5/120", "keep=10/10/30"]),
    st.sampled_from(["", "schedule='mon-fri 09:00-17:00 Europe/Berlin'"]),
    st.sampled_from(["", "sleep=10", "sleep=3"]),
    st.sampled_from(["", "start=0", "start=600"]),
)
