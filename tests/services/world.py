"""A whole small world in memory: book, hosting, clock, meter and sweep."""

from datetime import timedelta

from parkade.adapters.memory.bookings import MemoryBookingStore
from parkade.adapters.memory.catalog import MemoryCatalogStore
from parkade.adapters.memory.clock import ManualClock
from parkade.adapters.memory.events import MemoryHistory
from parkade.adapters.memory.hosting import MemoryHosting
from parkade.adapters.memory.leases import MemoryLeaseBook
from parkade.adapters.memory.notices import MemoryNotices
from parkade.adapters.memory.purses import MemoryPurses
from parkade.adapters.memory.remains import MemoryRemainsStore
from parkade.adapters.memory.terms import MemoryTermsStore
from parkade.adapters.memory.watches import MemoryWatchStore
from parkade.domain.endpoint import TRANSIENT
from parkade.ports.events import EventQuery
from parkade.services.bookings import Bookings, unlimited
from parkade.services.circumstances import Surroundings
from parkade.services.idling import Idling
from parkade.services.leaving import Leaving
from parkade.services.maintainer import Maintainer
from parkade.services.meter import Meter, free
from parkade.services.paying import Paying
from parkade.services.starts import Starts
from parkade.services.sweep import Sweep
from parkade.services.telling import Teller
from parkade.services.terms import TermsBook
from parkade.services.undo import Undo
from tests.builders import NOW, an_event, minutes, some_opting, some_rules, some_use


class KnownUsage:
    """The usage port: what a test says of endpoints; what it says nothing of was never used."""

    def __init__(self):
        #: A use, or a function of the instant that gives one, by name.
        self.told = {}

    def uses(self, endpoint_names, now):
        return {name: self._use(name, now) for name in endpoint_names}

    def _use(self, name, now):
        told = self.told.get(name, some_use())
        return told(now) if callable(told) else told


class World:
    def __init__(self, **rules):
        self.clock = ManualClock(NOW)
        self.history = MemoryHistory()
        self.purses = MemoryPurses()
        self.book = MemoryLeaseBook(self.history, self.purses)
        self.hosting = MemoryHosting(self.clock, ["falcon-config", "flan-config"])
        self.notices = MemoryNotices()
        self.rules = some_rules(**rules)
        self.nudges = 0
        self.usage = KnownUsage()
        self.watches = MemoryWatchStore(self.history)
        self.remains = MemoryRemainsStore()
        self.catalog = MemoryCatalogStore(self.history, self.remains)
        self.terms_store = MemoryTermsStore(self.history, self.book)
        self.terms = TermsBook(self.terms_store, book=self.book, clock=self.clock)
        self.first_lead = minutes(0)
        self.starts = Starts(self.history, first=lambda: self.first_lead)
        self.booking_store = MemoryBookingStore(self.history, self.purses)
        self.bookings = self.some_bookings()
        self.opting = some_opting()
        self.leaving = Leaving(self.catalog, self.terms_store, self.remains)
        self.meter = self.a_meter()
        self.sweep = self.a_sweep()

    def a_meter(self, **ports):
        """A meter on this world, with some of its ports replaced."""
        own = {"book": self.book, "hosting": self.hosting, "clock": self.clock}
        return Meter(
            **{**own, **ports},
            rules=lambda: self.rules,
            changed=self.nudge,
            leaving=self.leaving,
        )

    def surroundings(self):
        """The circumstances of this world's decisions."""
        maintainer = Maintainer(self.watches, self.catalog, opting=lambda: self.opting)
        return Surroundings(
            maintainer=maintainer,
            usage=self.usage,
            terms=self.terms,
            bookings=self.bookings,
            starts=self.starts,
        )

    def some_bookings(self, **ports):
        """Bookings in this world, as they were stored."""
        own = {"hosting": self.hosting, "starts": self.starts, "reserve": unlimited}
        return Bookings(
            self.booking_store,
            **{**own, **ports},
            book=self.book,
            history=self.history,
            clock=self.clock,
            rules=lambda: self.rules,
            changed=self.nudge,
        )

    def a_sweep(self, *, admit=free, **ports):
        """A sweep on this world, as new as after a restart, with some of its ports replaced."""
        own = {
            "book": self.book,
            "hosting": self.hosting,
            "history": self.history,
            "notices": self.notices,
            "clock": self.clock,
        }
        own |= ports
        around = self.surroundings()
        idling = Idling(
            **own,
            watches=self.watches,
            catalog=self.catalog,
            rules=lambda: self.rules,
            around=around,
            leaving=self.leaving,
        )
        paying = Paying(
            book=own["book"],
            hosting=own["hosting"],
            teller=Teller(own["history"], own["notices"]),
            rules=lambda: self.rules,
            changed=self.nudge,
            admit=admit,
        )
        return Sweep(**own, rules=lambda: self.rules, idling=idling, paying=paying, around=around)

    def tag(self, name="falcon", **tags):
        """Give the endpoint the tag that opts in, and these timers: `stop_after="4"`."""
        timers = {f"auto-maintain.{key.replace('_', '-')}": text for key, text in tags.items()}
        self.catalog.put_tags("endpoint", name, {"auto-maintain": "true", **timers})

    def untag(self, name="falcon"):
        self.catalog.put_tags("endpoint", name, {})

    def sweep_at(self, instant):
        """Go there by the sweeps' own instants, as the control process does."""
        while True:
            report = self.sweep.run()
            ahead = report.plan.next_at
            if self.clock.now() >= instant:
                return report
            self.clock.set(min(ahead or instant, instant))

    def undo(self, **settings):
        """What brings endpoints back in this world."""
        options = {"kept": timedelta(days=7), "leases_only": False, **settings}
        return Undo(
            remains=self.remains,
            catalog=self.catalog,
            meter=self.meter,
            hosting=self.hosting,
            history=self.history,
            terms=self.terms,
            clock=self.clock,
            kept=lambda: options["kept"],
            leases_only=lambda: options["leases_only"],
            changed=self.nudge,
        )

    def started(self, config, created_at, at):
        """Let the history tell of an endpoint that came into service then."""
        change = {
            "status_before": "Creating",
            "config_name": config,
            "created_at": created_at.isoformat(),
        }
        self.history.append(an_event("endpoint.in_service", at=at, data={"change": change}))

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
            if seen.status in TRANSIENT:
                self.hosting.settle(name)

    def rest(self):
        """Sweep until a sweep finds nothing to do."""
        for _ in range(20):
            self.settle_all()
            if not self.sweep.run().done:
                return
        raise AssertionError("the sweeps never come to rest")
