"""A world in memory with projects: keepers over one shelf, and applications taken step by step."""

from dataclasses import replace
from decimal import Decimal

from parkade.adapters.memory.clock import ManualClock
from parkade.adapters.memory.events import MemoryHistory
from parkade.adapters.memory.projects import MemoryProjectStore
from parkade.domain.errors import InUse, InvalidInput
from parkade.domain.price import EMPTY, Sum
from parkade.domain.project.part import Kind, Part, derived_name
from parkade.domain.project.project import Project
from parkade.ports.events import EventQuery
from parkade.services.notices import RecordedNotices
from parkade.services.project import Projects
from parkade.services.projects.atonce import AtOnce
from parkade.services.projects.desk import Desk
from parkade.services.projects.keeper import Condition, Progress, Stage
from parkade.services.projects.keepers import Keepers
from parkade.services.projects.walk import Walk
from tests.builders import NOW, seconds

PREFIX = "TextDemo"


class ShelfKeeper(AtOnce):
    """Keeps parts on a shelf, by kind and name. What `troubles` has for a name is raised, once each."""

    def __init__(self, kind, shelf):
        self.kind = kind
        self.shelf = shelf
        self.troubles = {}
        #: Every call that changes something: (verb, name, errand).
        self.calls = []

    def check(self, part, project):
        if part.content.get("impossible"):
            raise InvalidInput(f"{part.ref} is impossible", field="impossible")

    def found(self, name):
        return self.shelf.get((self.kind, name))

    def settled(self, part, found):
        return {"level": "usual", **part.content}

    def put(self, part, errand):
        self._called("put", part.name, errand)
        self.shelf[self.kind, part.name] = self.settled(part, self.found(part.name))

    def remove(self, name, errand):
        self._called("remove", name, errand)
        self.shelf.pop((self.kind, name), None)

    def condition(self, part):
        there = self.found(part.name) is not None
        return Condition(state="there" if there else "missing", troubled=not there)

    def _called(self, verb, name, errand):
        self.calls.append((verb, name, errand))
        if self.troubles.get(name):
            raise self.troubles[name].pop(0)


class ModelKeeper(ShelfKeeper):
    """Models stay while an endpoint uses them."""

    def remove(self, name, errand):
        users = [
            key[1]
            for key, content in self.shelf.items()
            if key[0] is Kind.ENDPOINT and name in content.get("models", ())
        ]
        if users:
            raise InUse(f"model {name} is used by {', '.join(users)}")
        super().remove(name, errand)


class EndpointKeeper(ShelfKeeper):
    """Endpoints take their time: what is begun is done when `arrive` says so.

    What runs has its `count` from people; one whose content has `fails` never comes up.
    """

    def __init__(self, kind, shelf):
        super().__init__(kind, shelf)
        #: What is under way, by errand: the part, and how it ended.
        self.deployments = {}
        self.going = []

    def check(self, part, project):
        super().check(part, project)

    def settled(self, part, found):
        count = found["count"] if found else part.content.get("count", 1)
        return {"level": "usual", **part.content, "count": count}

    def hourly(self, content, project):
        price = project.prices.get(content.get("type", "ml.c5.large"))
        if price is None:
            return Sum(unpriced=frozenset({content.get("type", "ml.c5.large")}))
        return Sum(usd=price * content["count"])

    def instances(self, content):
        return content.get("most", content["count"])

    def stays(self, content):
        return [content["captured"]] if "captured" in content else []

    def put(self, part, errand):
        self._called("put", part.name, errand)
        if errand.id not in self.deployments:
            missing = [
                name for name in part.content["models"] if (Kind.MODEL, name) not in self.shelf
            ]
            if missing:
                raise InvalidInput(f"there is no model {missing[0]}", field="models")
            self.deployments[errand.id] = [part, None]

    def progress(self, part, errand):
        _, end = self.deployments[errand.id]
        return end or Progress(stage=Stage.UNDER_WAY, text="it is Creating")

    def call_off(self, part, errand):
        self._called("call_off", part.name, errand)
        deployment = self.deployments[errand.id]
        if deployment[1] is None:
            deployment[1] = Progress(stage=Stage.FAILED, text="it was called off")

    def remove(self, name, errand):
        self._called("remove", name, errand)
        if (self.kind, name) in self.shelf:
            self.going.append(name)

    def arrive(self):
        """Let all that is under way come about."""
        for name in self.going:
            self.shelf.pop((self.kind, name), None)
        self.going = []
        for deployment in self.deployments.values():
            part, end = deployment
            if end is not None:
                continue
            if part.content.get("fails"):
                deployment[1] = Progress(stage=Stage.FAILED, text="no ping")
                continue
            self.shelf[self.kind, part.name] = self.settled(part, self.found(part.name))
            deployment[1] = Progress(stage=Stage.DONE, text="it is InService")


class ProjectWorld:
    """`go` advances an application as far as it goes by itself, `finish` to its end."""

    def __init__(self):
        self.clock = ManualClock(NOW)
        self.history = MemoryHistory()
        self.store = MemoryProjectStore(self.history)
        self.shelf = {}
        self.keepers = {
            Kind.MODEL: ModelKeeper(Kind.MODEL, self.shelf),
            Kind.ENDPOINT: EndpointKeeper(Kind.ENDPOINT, self.shelf),
            **{
                kind: ShelfKeeper(kind, self.shelf)
                for kind in Kind
                if kind not in {Kind.MODEL, Kind.ENDPOINT, Kind.TESTER}
            },
        }
        self.desk = self.a_desk()
        self.projects = self.some_projects()
        self.carried_out = []

    @property
    def endpoints(self):
        return self.keepers[Kind.ENDPOINT]

    def a_desk(self, wrap=lambda _, port: port):
        """The desk of this world, with its ports wrapped."""
        history = wrap("history", self.history)
        return Desk(
            store=wrap("store", self.store),
            keepers=Keepers(
                # The registry reads the kind, and nothing else, of what it is given.
                _Kept(kind, wrap(kind, keeper))
                for kind, keeper in self.keepers.items()
            ),
            history=history,
            notices=RecordedNotices(history),
            clock=self.clock,
        )

    def some_projects(self, desk=None):
        return Projects(desk or self.desk, spawn=self._spawn, changed=lambda: None)

    def _spawn(self, coroutine):
        coroutine.close()  # what it would do is done by `go`

    def apply(self, project, **options):
        application = self.projects.apply(project, "ann", **options)
        self.projects = self.some_projects()  # its task was not run, as after a restart
        return application

    def destroy(self, prefix=PREFIX, **options):
        application = self.projects.destroy(prefix, "ann", **options)
        self.projects = self.some_projects()
        return application

    def go(self, application, *, walk=None):
        """Advance until nothing is left that can be done at once; return the application."""
        walk = walk or Walk(self.desk)
        for _ in range(500):
            until = walk.advance(application.id)
            if until is None or until > self.clock.now():
                return self.store.application(application.id)
        raise AssertionError(f"it goes on for ever: {self.store.application(application.id)}")

    def finish(self, application, *, walk=None):
        """Go on until it is over, with all that it waits for arriving, and pauses passing."""
        for _ in range(50):
            current = self.go(application, walk=walk)
            if current.over:
                return current
            self.endpoints.arrive()
            self.clock.advance(seconds(60))
        raise AssertionError(f"it is never over: {current}")

    def applied(self, project, **options):
        return self.finish(self.apply(project, **options))

    def there(self):
        """All that is on the shelf, and what the project is said to have made."""
        records = self.store.all().records
        return {
            "shelf": dict(sorted(self.shelf.items())),
            "made": sorted(
                (each.prefix, made.ref, made.key, made.content)
                for each in records
                for made in each.made
            ),
        }

    def told(self):
        return [
            event.reason
            for event in self.history.read(EventQuery(kinds=("notice.project",), limit=1000))
        ]

    def events(self):
        query = EventQuery(kinds=("project.",), limit=10_000)
        return [event.kind for event in self.history.read(query)]

    def calls(self, kind=None):
        """What the keepers were asked to change: (kind, verb, name)."""
        return [
            (str(each), verb, name)
            for each, keeper in self.keepers.items()
            if kind in {None, each}
            for verb, name, _ in keeper.calls
        ]


class _Kept:
    def __init__(self, kind, keeper):
        self.kind = kind
        self._keeper = keeper

    def __getattr__(self, name):
        return getattr(self._keeper, name)


def a_project(*, models=None, endpoints=None, routes=(), alarms=(), **options):
    """A project by its models' contents, its endpoints' models (by key) and its routes' endpoints."""
    models = {"a": {"image": "pytorch"}} if models is None else models
    endpoints = {"one": {"models": ["a"]}} if endpoints is None else endpoints
    project = Project(name="Text", stage="Demo", prices={"ml.c5.large": Decimal("0.1")})
    names = {
        key: derived_name(f"{project.prefix}-{key}", content) for key, content in models.items()
    }
    parts = [
        Part(kind=Kind.MODEL, name=names[key], key=key, content=content)
        for key, content in models.items()
    ]
    parts += [
        Part(
            kind=Kind.ENDPOINT,
            name=f"{project.prefix}-{key}",
            key=key,
            content={**content, "models": [names[model] for model in content["models"]]},
        )
        for key, content in endpoints.items()
    ]
    parts += [
        Part(kind=Kind.ROUTE, name=path, key=path, content={"endpoint": endpoint})
        for path, endpoint in dict(routes).items()
    ]
    parts += [
        Part(kind=Kind.ALARM, name=f"{project.prefix}-{key}", key=key, content={"above": 5})
        for key in alarms
    ]
    return replace(project, parts=tuple(parts), **options)


def outline(difference):
    """The changes in short: (verb, kind, key)."""
    return [(str(each.verb), str(each.kind), each.key) for each in difference.changes]


def steps(application):
    """The steps in short: (verb, kind, key, outcome)."""
    return [
        (str(each.verb), str(each.kind), each.key, str(each.outcome)) for each in application.steps
    ]


__all__ = [
    "EMPTY", "NOW", "PREFIX", "ProjectWorld", "a_project", "outline", "replace", "steps",
]  # fmt: skip
