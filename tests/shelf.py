"""Keepers of a project's parts over dictionaries, and a project in memory for who needs one."""

from decimal import Decimal
from types import SimpleNamespace

from parkade.adapters.memory.projects import MemoryProjectStore
from parkade.domain.errors import InvalidInput
from parkade.domain.price import EMPTY, Sum
from parkade.domain.project.part import Kind
from parkade.services.project import Projects
from parkade.services.projects.atonce import AtOnce
from parkade.services.projects.desk import Desk
from parkade.services.projects.keeper import Condition, Progress, Stage
from parkade.services.projects.keepers import Keepers

#: A document with a part of most kinds.
DOCUMENT = {
    "project": "Text",
    "stage": "Demo",
    "models": {
        "model-a": {"data": "s3://models/a.tar.gz", "image": "pytorch-inference"},
    },
    "endpoints": {
        "words": {
            "variants": [
                {"name": "Model-A", "model": "model-a", "type": "ml.c5.xlarge", "instances": 1}
            ],
            "lease": {"minutes": 60},
        }
    },
    "routes": {"/text": {"endpoint": "words"}},
}


class Shelf(AtOnce):
    """Keeps parts of one kind in a dictionary, each as it is put."""

    def __init__(self, kind):
        self.kind = kind
        self.parts = {}
        #: Names of parts that are under way until they are taken away here.
        self.slow = set()
        #: Why parts fail, by their names.
        self.failing = {}
        self.price = EMPTY
        self.left = ()
        self.conditions = {}

    def check(self, part, project):
        if part.content.get("image") == "nonsense":
            raise InvalidInput("there is no image nonsense", field="image", hint="name another")

    def found(self, name):
        return self.parts.get(name)

    def settled(self, part, found):
        return dict(part.content)

    def hourly(self, content, project):
        return self.price

    def stays(self, content):
        return self.left

    def put(self, part, errand):
        if part.name not in self.failing:
            self.parts[part.name] = dict(part.content)

    def progress(self, part, errand):
        if part.name in self.slow:
            return Progress(stage=Stage.UNDER_WAY, text="it is starting")
        if part.name in self.failing:
            return Progress(stage=Stage.FAILED, text=self.failing[part.name])
        return Progress(stage=Stage.DONE, text="it is there")

    def call_off(self, part, errand):
        self.slow.discard(part.name)
        self.failing[part.name] = "it was called off"

    def remove(self, name, errand):
        self.parts.pop(name, None)

    def condition(self, part):
        there = part.name in self.parts
        told = Condition(state="there" if there else "missing", troubled=not there)
        return self.conditions.get(part.name, told)


def shelved(history, notices, clock, *, spawn, changed):
    """Return projects whose parts stand on shelves, and the shelves by kind."""
    shelves = {kind: Shelf(kind) for kind in Kind}
    shelves[Kind.ENDPOINT].price = Sum(usd=Decimal("0.238"))
    desk = Desk(
        store=MemoryProjectStore(history),
        keepers=Keepers(shelves.values()),
        history=history,
        notices=notices,
        clock=clock,
    )
    projects = Projects(desk, spawn=spawn, changed=changed)
    return SimpleNamespace(projects=projects, desk=desk, shelves=shelves)
