"""A whole small world in memory: book, hosting, clock, meter and sweep."""

from parkade.adapters.memory.clock import ManualClock
from parkade.adapters.memory.events import MemoryHistory
from parkade.adapters.memory.hosting import MemoryHosting
from parkade.adapters.memory.leases import MemoryLeaseBook
from parkade.adapters.memory.notices import MemoryNotices
from parkade.domain.endpoint import EndpointStatus
from parkade.ports.events import EventQuery
from parkade.services.meter import Meter
from parkade.services.sweep import Sweep
from tests.builders import NOW, minutes, some_rules


class World:
    def __init__(self, **rules):
        self.clock = ManualClock(NOW)
        self.history = MemoryHistory()
        self.book = MemoryLeaseBook(self.history)
        self.hosting = MemoryHosting(self.clock, ["falcon-config", "flan-config"])
        self.notices = MemoryNotices()
        self.rules = some_rules(**rules)
        self.nudges = 0
        self.meter = self.a_meter()
        self.sweep = self.a_sweep()

    def a_meter(self, **ports):
        """A meter on this world, with some of its ports replaced."""
        own = {"book": self.book, "hosting": self.hosting, "clock": self.clock}
        return Meter(**{**own, **ports}, rules=lambda: self.rules, changed=self.nudge)

    def a_sweep(self, **ports):
        """A sweep on this world, as new as after a restart, with some of its ports replaced."""
        own = {
            "book": self.book,
            "hosting": self.hosting,
            "history": self.history,
            "notices": self.notices,
            "clock": self.clock,
        }
        return Sweep(**{**own, **ports}, rules=lambda: self.rules)

    def nudge(self):
        self.nudges += 1

    def add(self, name="falcon", amount=30, config="falcon-config"):
        return self.meter.add(name, config, amount=minutes(amount), owner="ann", actor="ann")

    def running(self, name="falcon", amount=30):
        """Add a lease and let its endpoint come into service."""
        self.add(name, amount)
        self.sweep.run()
        self.hosting.settle(name)
        return self.book.get(name)

    def status(self, name="falcon"):
        seen = self.hosting.endpoints().get(name)
        return seen.status if seen else None

    def events(self, name=None, *kinds):
        query = EventQuery(endpoint_name=name, kinds=kinds, limit=10_000)
        return list(self.history.read(query))

    def kinds(self, name="falcon"):
        return [event.kind for event in self.events(name)]

    def settle_all(self):
        """Let every endpoint that is on its way arrive."""
        for name, seen in self.hosting.endpoints().items():
            if seen.status in {EndpointStatus.CREATING, EndpointStatus.DELETING}:
                self.hosting.settle(name)

    def rest(self):
        """Sweep until a sweep finds nothing to do."""
        for _ in range(20):
            self.settle_all()
            if not self.sweep.run().done:
                return
        raise AssertionError("the sweeps never come to rest")
