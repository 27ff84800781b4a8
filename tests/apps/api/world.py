"""The API over real services in memory, called in process or through a real socket."""

import asyncio
import shlex
import threading
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from time import monotonic
from types import SimpleNamespace
from urllib.parse import urlsplit

import httpx
import uvicorn

from parkade.adapters.memory.alarms import MemoryAlarmStore
from parkade.adapters.memory.bookings import MemoryBookingStore
from parkade.adapters.memory.capacity import MemoryCapacity
from parkade.adapters.memory.catalog import MemoryCatalogStore
from parkade.adapters.memory.clock import ManualClock
from parkade.adapters.memory.events import MemoryHistory
from parkade.adapters.memory.executions import MemoryExecutionStore
from parkade.adapters.memory.hosting import MemoryHosting
from parkade.adapters.memory.invoker import MemoryInvoker
from parkade.adapters.memory.leases import MemoryLeaseBook
from parkade.adapters.memory.metrics import MemoryMetricStore
from parkade.adapters.memory.notices import MemoryNotices
from parkade.adapters.memory.objects import MemoryObjects
from parkade.adapters.memory.purses import MemoryPurses
from parkade.adapters.memory.remains import MemoryRemainsStore
from parkade.adapters.memory.routes import MemoryRouteStore
from parkade.adapters.memory.scaling import MemoryScalingStore
from parkade.adapters.memory.targets import MemoryTargetStore
from parkade.adapters.memory.terms import MemoryTermsStore
from parkade.adapters.memory.testers import MemoryTesterStore
from parkade.adapters.memory.tokens import MemoryTokenStore
from parkade.adapters.memory.topics import MemoryTopics
from parkade.adapters.memory.watches import MemoryWatchStore
from parkade.apps.api.app import create_app
from parkade.apps.api.broadcast import Broadcast
from parkade.apps.api.sights import HostSights
from parkade.apps.control.monitor.totals import Totals
from parkade.apps.control.traffic import Traffic
from parkade.apps.exposition.picture import Restarts
from parkade.apps.parts import alarms as alarming
from parkade.apps.parts import audit as audits
from parkade.apps.parts.upkeep import opting
from parkade.apps.sagemaker.arns import ACCOUNT
from parkade.apps.sections.limits import Limits
from parkade.apps.serverfile import ServerFile
from parkade.domain import names
from parkade.domain.errors import EndpointNotFound
from parkade.domain.token import Role
from parkade.runtime.backlog import BacklogView
from parkade.runtime.catalog import Catalog
from parkade.runtime.places import InstanceState
from parkade.runtime.rules import HostRules
from parkade.runtime.tallies import Tallies
from parkade.runtime.views import InstanceStatus
from parkade.services.affording import Affording
from parkade.services.bookings import Bookings
from parkade.services.circumstances import Surroundings
from parkade.services.executions import Executions
from parkade.services.idling import Idling
from parkade.services.leaving import Leaving
from parkade.services.maintainer import Maintainer
from parkade.services.maintaining import Maintaining
from parkade.services.meter import Meter
from parkade.services.metrics import Metrics
from parkade.services.paying import Paying
from parkade.services.projects.walk import Walk
from parkade.services.routes import Routes
from parkade.services.scaling import Scaling
from parkade.services.scalingalarms import ScalingAlarms
from parkade.services.scalingmoves import Moves
from parkade.services.snoozing import Snoozing
from parkade.services.starts import Starts
from parkade.services.sweep import Sweep
from parkade.services.tagging import Tagging
from parkade.services.targets import Targets
from parkade.services.telling import Teller
from parkade.services.terms import TermsBook
from parkade.services.testers import Testers
from parkade.services.timetables import Timetables
from parkade.services.tokens import Tokens
from parkade.services.undo import Undo
from parkade.services.why import Whys
from tests.builders import NOW, an_event, some_rules
from tests.deployments import a_capacity, a_deployer, a_waking
from tests.house import PATIENCE
from tests.money import a_money
from tests.outgoing import outgoing
from tests.services.world import KnownUsage
from tests.shelf import shelved
from tests.testers import a_rounds

#: Tokens that every world knows, by what they are for.
SECRETS = {
    "invoker": "invoker-pass-code",
    "limited": "limited-pass-code",
    "operator": "operator-pass-code",
    "admin": "admin-pass-code-16",
}


class Host(Catalog):
    """The part of the host that the API sees, without processes."""

    def __init__(self, store, clock):
        super().__init__(store, clock, HostRules, ("script",))
        self.files = {}
        self.running = {}
        #: What no process on this machine is marked with.
        self.state_id = "no-state"

    def instances(self, endpoint_name):
        if endpoint_name not in self.running:
            raise EndpointNotFound(f"there is no endpoint {endpoint_name!r}")
        return self.running[endpoint_name]

    def standbys(self):
        return ()

    def logs(self, endpoint_name):
        return tuple(self.files.get(names.endpoint_name(endpoint_name), ()))


class Shelves:
    """The part of placement that the API sees, without containers."""

    def __init__(self):
        self.tallies = Tallies()
        self.loaded = []
        self.instances = []
        self.wanted = []

    def copies(self):
        return tuple(self.loaded)

    def shelves(self):
        return tuple(self.instances)

    async def load(self, wanted):
        self.wanted.append(wanted)


class World:
    """Services in memory at NOW, the app over them, and a caller of it."""

    def __init__(self, *, auth=True, object_bytes=1024 * 1024):
        self.clock = ManualClock(NOW)
        self.wall = ManualClock(NOW)
        self.history = MemoryHistory()
        self.hosting = MemoryHosting(self.clock, ["falcon-config", "other-config"])
        self.purses = MemoryPurses()
        self.book = MemoryLeaseBook(self.history, self.purses)
        self.invoker = MemoryInvoker()
        self.remains = MemoryRemainsStore()
        self.catalog = MemoryCatalogStore(self.history, self.remains)
        self.watches = MemoryWatchStore(self.history)
        self.usage = KnownUsage()
        self.terms_store = MemoryTermsStore(self.history, self.book)
        self.terms = TermsBook(
            self.terms_store, book=self.book, clock=self.clock, changed=self.changed
        )
        self.leaving = Leaving(self.catalog, self.terms_store, self.remains)
        self.maintainer = Maintainer(self.watches, self.catalog, opting=lambda: opting(self.file))
        self.money = a_money(
            book=self.book,
            history=self.history,
            clock=self.clock,
            purses=self.purses,
            default=self.default_budget,
        )
        self.starts = Starts(self.history)
        self.affording = Affording(
            clock=self.clock, rules=some_rules, admit=self.money.budgets.admit
        )
        self.bookings = self._bookings()
        self.around = Surroundings(
            maintainer=self.maintainer,
            usage=self.usage,
            terms=self.terms,
            bookings=self.bookings,
            starts=self.starts,
        )
        self.metrics = MemoryMetricStore()
        self.alarm_store = MemoryAlarmStore(self.history)
        self.topics = MemoryTopics()
        self.host = Host(self.catalog, self.clock)
        self.objects = MemoryObjects(self.clock)
        self.broadcast = Broadcast()
        self.not_ready = ""
        self.reloaded = ["limits.workers"]
        self.changes = 0
        self.settlings = 0
        self.traffic = Traffic()
        self.pending = []
        self.file = ServerFile(limits=Limits(object_bytes=object_bytes))
        #: What of a multi-model endpoint the API sees, without containers.
        self.placement = Shelves()
        #: How many there are of what, and what is scaled.
        self.capacity = MemoryCapacity(self.clock)
        self.scaling_store = MemoryScalingStore(self.history)
        self.services = self._services(auth)
        self.services.waking = a_waking(self.services, self.book, self.terms_store, self.usage)
        self.services.deploying = a_deployer(
            self.services, leases_only=lambda: self.file.unmetered == "refuse"
        )
        self._make_tokens()
        self.app = create_app(self.services)

    def _services(self, auth):
        common = {"book": self.book, "hosting": self.hosting, "clock": self.clock}
        meter = Meter(
            **common,
            rules=some_rules,
            changed=self.changed,
            leaving=self.leaving,
            admit=self.money.budgets.admit,
        )
        alarms = self._alarms()
        outbox = outgoing(
            self.history, book=self.book, meter=meter, clock=self.clock, wall=self.wall
        )
        return SimpleNamespace(
            auth=auth,
            settings=SimpleNamespace(auth=auth, time_scale=1.0),
            caller=None,
            workshop=self.host,
            inventory=self.catalog,
            metrics=Metrics(self.metrics),
            metric_store=self.metrics,
            alarm_book=alarms.book,
            alarm_troubles=lambda: alarms.watch.troubles,
            time_scale=1.0,
            sights=HostSights(lambda: self.services),
            audit=lambda: audits.of(self.services),
            envelope=outbox.envelope,
            outbox=outbox,
            money=self.money,
            server_key=b"key",
            clock=self.clock,
            wall=self.wall,
            history=self.history,
            hosting=self.hosting,
            host=self.host,
            catalog=self.catalog,
            objects=self.objects,
            parts=MemoryObjects(self.wall),
            meter=meter,
            sweep=self._sweep(common),
            upkeep=SimpleNamespace(
                terms=self.terms,
                watches=self.watches,
                remains=self.remains,
                bookings=self.bookings,
                starts=self.starts,
                affording=self.affording,
                maintainer=self.maintainer,
                maintaining=Maintaining(self.terms, self.catalog, opting=lambda: opting(self.file)),
                snoozing=Snoozing(
                    **common,
                    watches=self.watches,
                    usage=self.usage,
                    usual=lambda: timedelta(minutes=self.file.maintain.snooze_minutes),
                    rules=some_rules,
                    changed=self.changed,
                ),
                tagging=Tagging(
                    **common, catalog=self.catalog, history=self.history, changed=self.changed
                ),
                whys=Whys(
                    **common,
                    history=self.history,
                    rules=some_rules,
                    around=self.around,
                    usage=self.usage,
                    expected=self.starts.expected,
                    refusal=self.affording.refusal,
                ),
            ),
            undo=Undo(
                remains=self.remains,
                catalog=self.catalog,
                meter=meter,
                hosting=self.hosting,
                history=self.history,
                terms=self.terms,
                clock=self.clock,
                kept=lambda: timedelta(days=self.file.maintain.undo_days),
                leases_only=lambda: self.file.unmetered == "refuse",
                changed=self.changed,
            ),
            monitor=SimpleNamespace(
                store=self.metrics,
                metrics=Metrics(self.metrics),
                collector=SimpleNamespace(trouble=""),
                totals=Totals(monotonic),
                restarts=Restarts(self.history),
            ),
            alarms=alarms,
            testing=self._testing(),
            scaling=self._scaling(alarms),
            tokens=Tokens(MemoryTokenStore(self.history), clock=self.wall, key=lambda: b"key"),
            routes=Routes(MemoryRouteStore(self.history), clock=self.clock),
            projecting=shelved(
                self.history,
                MemoryNotices(),
                self.clock,
                spawn=self.pending.append,
                changed=self.changed,
            ),
            executions=Executions(MemoryExecutionStore(), self.invoker, clock=self.wall),
            backlog=SimpleNamespace(view=lambda _: BacklogView(waiting=0, running=0, oldest=None)),
            broadcast=self.broadcast,
            traffic=lambda _: self.traffic,
            targets=Targets(MemoryTargetStore(self.history), clock=self.wall),
            many=SimpleNamespace(placement=self.placement),
            file=lambda: self.file,
            reload=lambda: self.reloaded,
            ready=lambda: self.not_ready,
            settled=self.settled,
            changed=self.changed,
            spawn=self.pending.append,
        )

    def _testing(self):
        store = MemoryTesterStore(self.history)
        rounds = a_rounds(
            store=store,
            metrics=self.metrics,
            history=self.history,
            clock=self.clock,
            objects=self.objects,
            spawn=self.pending.append,
            changed=self.changed,
        )
        testers = Testers(store, clock=self.clock, changed=rounds.nudge)
        return SimpleNamespace(testers=testers, rounds=rounds)

    def _bookings(self):
        return Bookings(
            MemoryBookingStore(self.history, MemoryPurses()),
            book=self.book,
            hosting=self.hosting,
            history=self.history,
            starts=self.starts,
            clock=self.clock,
            rules=some_rules,
            changed=self.changed,
        )

    def _sweep(self, common):
        own = {**common, "rules": some_rules, "history": self.history, "notices": MemoryNotices()}
        idling = Idling(
            **own,
            watches=self.watches,
            catalog=self.catalog,
            around=self.around,
            leaving=self.leaving,
        )
        paying = Paying(
            book=self.book,
            hosting=self.hosting,
            teller=Teller(self.history, own["notices"]),
            rules=some_rules,
            changed=self.changed,
        )
        return Sweep(**own, idling=idling, paying=paying, around=self.around)

    def _alarms(self):
        return alarming.build(
            alarming.Ports(
                alarms=self.alarm_store,
                metrics=self.metrics,
                watches=self.watches,
                history=self.history,
                clock=self.clock,
                topics=self.topics,
                file=lambda: self.file,
                scale=1.0,
            )
        )

    def _scaling(self, alarming):
        alarms = ScalingAlarms(
            alarming.book,
            self.scaling_store,
            self.clock,
            endpoint_of=lambda policy: policy.resource.name,
            region=lambda: self.file.region,
            account=ACCOUNT,
        )
        self.moves = Moves(self.scaling_store, self.capacity, self.clock)
        return SimpleNamespace(
            book=Scaling(
                self.scaling_store,
                self.capacity,
                clock=self.clock,
                alarms=alarms,
                moves=self.moves,
                changed=self.changed,
            ),
            timetables=Timetables(self.scaling_store, clock=self.clock, changed=self.changed),
            capacity=self.capacity,
        )

    def default_budget(self, owner):
        return self.file.money.budget_of(owner)

    def _make_tokens(self):
        for name, secret in SECRETS.items():
            self.services.tokens.create(
                name,
                role=Role.INVOKER if name == "limited" else Role(name),
                endpoints=["falcon"] if name == "limited" else [],
                lifetime=None,
                actor="test",
                secret=secret,
            )

    async def settled(self):
        self.settlings += 1

    def changed(self):
        self.changes += 1
        self.broadcast.notify()

    def add(self, name="falcon", **changes):
        """Put an endpoint on the meter, without the API."""
        options = {"amount": None, "owner": "ann", "actor": "ann", **changes}
        return self.services.meter.add(name, options.pop("config", "falcon-config"), **options)

    def sweep(self):
        return self.services.sweep.run()

    def started(self, config, *, took):
        """Let the history tell that an endpoint of this config took so long to start."""
        change = {
            "status_before": "Creating",
            "config_name": config,
            "created_at": NOW.isoformat(),
        }
        data = {"change": change}
        self.history.append(an_event("endpoint.in_service", at=NOW + took, data=data))

    def run_endpoint(self, name="falcon"):
        """Let the endpoint that the sweep creates be in service, on one instance."""
        self.sweep()
        self.hosting.settle(name)
        self.host.running[name] = (
            InstanceStatus(
                id="0123456789ab",
                variant_name="blue",
                pid=4711,
                state=InstanceState.RUNNING,
                started_at=NOW,
                restarts=0,
                log=Path("blue-0123456789ab.log"),
            ),
        )

    def carry_out(self, deployment_id):
        """Go on with a deployment as far as it goes without anything else that happens."""
        while self.pending:
            self.pending.pop().close()
        walk = self.services.deploying.walk
        while (until := walk.advance(deployment_id)) is not None and until <= self.clock.now():
            pass

    def apply_on(self, application_id):
        """Go on with an application of a project as far as it goes by itself."""
        while self.pending:
            self.pending.pop().close()
        walk = Walk(self.services.projecting.desk)
        while (until := walk.advance(application_id)) is not None and until <= self.clock.now():
            pass

    def arrive(self, name, *variants):
        """Let the fleet that a deployment brings up answer."""
        self.sweep()
        self.services.deploying.provisioner.arrive(name)
        for variant in variants or ("AllTraffic",):
            self.capacity.put(a_capacity(name, variant))

    def call(self, method, path, *, by="operator", headers=None, **options):
        """Call the app; `by` names one of SECRETS, or is None, or a secret itself."""
        sent = dict(headers or {})
        if by is not None:
            sent.setdefault("Authorization", SECRETS.get(by, by))
        return asyncio.run(self._call(method, path, headers=sent, **options))

    async def _call(self, method, path, **options):
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.request(method, path, **options)

    def ok(self, method, path, **options):
        answer = self.call(method, path, **options)
        assert answer.is_success, f"{answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def error(self, method, path, **options):
        """Call what is to be refused; return the status and the error, whose shape is checked."""
        answer = self.call(method, path, **options)
        assert list(answer.json()) == ["error"], answer.text
        error = answer.json()["error"]
        assert {"code", "message", "hint"} <= error.keys() <= {
            "code", "message", "hint", "field", "id",
        }  # fmt: skip
        assert error["code"]
        assert error["message"]
        return answer.status_code, error

    def finish(self):
        """Run what was spawned."""

        async def run():
            while self.pending:
                await self.pending.pop(0)

        asyncio.run(run())

    def curl(self, line):
        """Carry out a curl command line as curl does."""
        words = shlex.split(line.replace("\\\n", " "))
        assert words.pop(0) == "curl"
        url, headers, data = "", {}, None
        while words:
            word = words.pop(0)
            if word == "--header":
                name, _, value = words.pop(0).partition(":")
                headers[name] = value.strip()
            elif word == "--data":
                data = words.pop(0)
            elif word != "--location":
                url = word
        if data is not None:
            headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
        parts = urlsplit(url)
        path = parts.path.removeprefix("/prod") + (f"?{parts.query}" if parts.query else "")
        method = "GET" if data is None else "POST"
        return self.call(method, path, by=None, headers=headers, content=data)


@contextmanager
def served(app):
    """Serve the app on a loopback socket, by uvicorn in a thread; yield its URL."""
    config = uvicorn.Config(
        app,
        port=0,
        lifespan="off",
        ws="none",
        log_config=None,
        timeout_graceful_shutdown=1,
        # A connection that a client keeps must not be closed as it sends its next request.
        timeout_keep_alive=10_000,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()))
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            thread.join(0.001)  # a loop that is busy here keeps the server from starting
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(PATIENCE)
