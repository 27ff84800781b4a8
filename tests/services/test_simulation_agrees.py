"""A simulation says what the real sweep does: both live through the same requests."""

from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parkade.domain.endpoint import EndpointStatus
from parkade.domain.simulation.replay import replay
from parkade.domain.simulation.rule import parse
from parkade.domain.simulation.traffic import Burst, Period, Traffic
from parkade.domain.terms import Sleep, Terms
from parkade.services.waking import Waking
from tests.builders import NOW, a_reading, minutes, seconds, some_use
from tests.services.world import World

#: A lease of a minute is over by then.
START = NOW + minutes(1)
LENGTH = minutes(6 * 60)
FOR_EVER = timedelta(days=36500)


@dataclass
class Life:
    """The world of the real sweep, with a person in it and a host that takes its time to start."""

    rule: object
    traffic: Traffic
    world: World = field(
        default_factory=lambda: World(max_ahead=FOR_EVER, keep_at_most=FOR_EVER, warnings=())
    )
    came: int = 0
    ready_at: object = None
    pays_at: object = None
    up: timedelta = timedelta(0)
    met: dict = field(default_factory=lambda: {"served": 0, "stopped": 0, "waking": 0})
    coins: int = 0

    def live(self):
        world, rule = self.world, self.rule
        world.usage.told["falcon"] = self.use
        world.first_lead = rule.start
        world.add("falcon", 1)
        world.terms.put(
            Terms(
                endpoint_name="falcon",
                maintain=rule.idle is not None,
                idle=rule.idle,
                keep=rule.keep,
                schedule=rule.schedule,
                sleep=Sleep(after=rule.sleep) if rule.sleep else None,
            ),
            "ann",
        )
        world.clock.set(START)
        self.happen(START)
        while (now := self.following()) < START + LENGTH:
            self.up += (now - world.clock.now()) * self.runs
            world.clock.set(now)
            self.happen(now)
        self.up += (START + LENGTH - world.clock.now()) * self.runs
        return self

    @property
    def runs(self):
        return self.world.status() is not None and not self.asleep

    @property
    def asleep(self):
        seen = self.world.hosting.endpoints().get("falcon")
        return seen is not None and seen.asleep

    @property
    def waking(self):
        world = self.world
        return Waking(
            book=world.book, terms=world.terms_store, clock=world.clock, changed=world.nudge
        )

    def following(self):
        """Every minute, as the control process looks at least, and when something is due."""
        now = self.world.clock.now()
        ahead = [self.ready_at, self.pays_at, self.world.sweep.plan().next_at]
        whole = START + ((now - START) // minutes(1) + 1) * minutes(1)
        return min([whole, *(each for each in ahead if each is not None and each > now)])

    def happen(self, now):
        if self.ready_at == now:
            self.ready_at = None
            self.world.hosting.settle("falcon")
        if self.pays_at == now:
            self.pay()
        self.rest(now)
        while (at := self.traffic.at(self.came)) is not None and at <= now:
            self.request(now)
            self.came += 1
        if self.pays_at == now:
            self.pay()
            self.rest(now)

    def rest(self, now):
        """Sweep until nothing is done any more, as each change makes the control process."""
        for _ in range(10):
            done = self.world.sweep.run().done
            status = self.world.status()
            coming = {EndpointStatus.CREATING, EndpointStatus.SYSTEM_UPDATING}
            if status in {EndpointStatus.DELETING, EndpointStatus.UPDATING}:
                self.world.hosting.settle("falcon")
                self.ready_at = None
            elif status in coming and self.ready_at is None:
                self.ready_at = now + self.rule.start
            if not done:
                return

    def request(self, now):
        if self.asleep:
            self.waking.ask("falcon", "a request")
            self.rest(now)
        status = self.world.status()
        met = "served" if status is EndpointStatus.IN_SERVICE else "waking" if status else "stopped"
        self.met[met] += self.traffic.bursts[self.came].count
        if met == "stopped" and self.pays_at is None and self.rule.lease:
            self.pays_at = now + self.rule.back

    def pay(self):
        self.pays_at = None
        if self.world.book.get("falcon").over(self.world.clock.now()):
            self.world.meter.extend("falcon", self.rule.lease, actor="ann")
            self.coins += 1

    def use(self, now):
        """As the monitor has it: busy while a request is under way, quiet from its end."""
        busy_until = self.traffic.busy_until(self.came)
        quiet_since = min(busy_until or NOW, now)
        return some_use(
            a_reading(quiet_since=quiet_since, newest=now),
            in_flight=int(busy_until is not None and busy_until > now),
            used_at=self.traffic.at(self.came - 1) if self.came else None,
        )


def agree(text, traffic):
    rule = parse(f"it: {text}")
    simulated = replay("falcon", traffic, rule, Period(start=START, end=START + LENGTH))
    real = Life(rule, traffic).live()
    said = {"served": simulated.served, "stopped": simulated.stopped, "waking": simulated.waking}
    assert (said, simulated.coins, simulated.up) == (real.met, real.coins, real.up)
    assert simulated.starts == [call for call, _ in real.world.hosting.calls].count("create")


def at_minutes(*offsets):
    return Traffic(Burst(at=START + minutes(each), count=each % 7 + 1) for each in offsets)


@pytest.mark.parametrize(
    "rule",
    [
        "lease=60",
        "lease=240 sleep=10",
        "lease=60 sleep=4 start=45",
        "lease=240 sleep=6 idle=4x5",
        "lease=25 back=7",
        "lease=240 idle=3x5",
        "lease=240 idle=2x10 grace=0",
        "lease=30 keep=15/5/45",
        # The world begins on a Sunday at noon, UTC.
        "schedule='sun 13:00-15:00 UTC'",
        "schedule='sun 14:00-15:30 Europe/Berlin' lease=30 idle=3x5",
        "lease=20 keep=10/10/120 idle=2x10",
        # What a person paid for is over at the very instant at which office hours are paid for.
        "schedule='sun 13:00-15:00 UTC' lease=47",
    ],
)
def test_a_day_of_bursts(rule):
    agree(rule, at_minutes(*range(10, 30, 3), *range(95, 100), 150, *range(200, 290, 7), 350))


@given(
    st.lists(st.integers(0, 359), max_size=15),
    st.sampled_from([7, 30, 60, 200]),
    st.sampled_from(["", "idle=3x5", "idle=1x2 grace=0"]),
    st.sampled_from(["", "keep=15/5/40", "keep=20/10/30"]),
    st.sampled_from(["", "schedule='sun 13:00-15:00 UTC'"]),
    st.sampled_from(["", "sleep=4"]),
)
@settings(deadline=None, max_examples=8)
def test_any_requests_under_any_rules(offsets, lease, idle, keep, schedule, sleep):
    agree(f"lease={lease} {idle} {keep} {schedule} {sleep}", at_minutes(*offsets))


def test_long_requests():
    long = Traffic(
        [
            Burst(at=START + minutes(3)),
            Burst(at=START + minutes(9), lasting=minutes(50)),
            Burst(at=START + minutes(300), lasting=seconds(1)),
        ]
    )
    agree("lease=400 idle=3x5", long)
