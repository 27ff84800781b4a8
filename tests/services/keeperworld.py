"""A world in memory with the keepers of models and endpoints; parts are applied one by one."""

from decimal import Decimal

from parkade.adapters.memory.models import MemoryModels
from parkade.adapters.memory.objects import MemoryObjects
from parkade.domain.project import contents
from parkade.domain.project.part import Kind, Part, derived_name
from parkade.domain.project.project import PROJECT_TAG, Project
from parkade.domain.standing import unlimited, unmeasured
from parkade.services.projects.endpointconditions import Conditions
from parkade.services.projects.endpointconfigs import Configs
from parkade.services.projects.endpoints import EndpointKeeper
from parkade.services.projects.keeper import Errand, Stage
from parkade.services.projects.models import ModelKeeper
from tests.services.deployworld import DeployWorld, a_variant_of

PREFIX = "TextDemo"
NAME = f"{PREFIX}-text"
PROJECT = Project(name="Text", stage="Demo")
BUCKET = "textdemo-archive"
SCALED = {"autoscalingMinCapacity": 1, "autoscalingMaxCapacity": 4}


class KeeperWorld(DeployWorld):
    """`apply` does what an application does about one part; it tells whether anything differed."""

    def __init__(self, **rules):
        super().__init__(**rules)
        self.objects = MemoryObjects(self.clock)
        #: What may be applied again; none: the project is being destroyed.
        self.documents = [PROJECT]
        self.models = ModelKeeper(
            MemoryModels(self.catalog, self.clock, unknown=["unknown"]),
            objects=self.objects,
            catalog=self.catalog,
            hosting=self.hosting,
            desk=self.desk,
            documents=lambda _: self.documents,
        )
        conditions = Conditions(
            self.deployer, expected=unmeasured, refusal=unlimited, now=self.clock.now
        )
        self.endpoints = EndpointKeeper(
            self.desk,
            self.deployer,
            Configs(self.desk, self.catalog),
            conditions,
            prices=self.money.prices,
            opting=lambda: self.opting,
            applied=lambda prefix: self.applied if prefix == PREFIX else None,
        )
        #: What was wholly made of the project before.
        self.applied = None
        self._errands = 0

    def errand(self):
        self._errands += 1
        return Errand(id=f"application/{self._errands}", project=PREFIX, actor="ann")

    def keeper(self, part):
        return self.models if part.kind is Kind.MODEL else self.endpoints

    def differs(self, part):
        """What a plan would show: the members that differ; None: there is nothing yet."""
        keeper = self.keeper(part)
        keeper.check(part, PROJECT)
        found = keeper.found(part.name)
        settled = keeper.settled(part, found)
        if found is None:
            return None
        paths = [each.path for each in contents.fields(found, settled)]
        return list(dict.fromkeys(map(_member, paths)))

    def apply(self, part, *, errand=None):
        """Make the part where it differs, to its end; afterwards nothing differs any more."""
        if self.differs(part) == []:
            return False
        progress = self.carry_out(part, errand or self.errand())
        assert progress.stage is Stage.DONE, progress
        assert self.differs(part) == []
        return True

    def carry_out(self, part, errand):
        keeper = self.keeper(part)
        keeper.put(part, errand)
        self.sweep.run()
        while (progress := keeper.progress(part, errand)).stage is Stage.UNDER_WAY:
            (running,) = self.deployments.running().records
            self.finish(running, arrive=lambda: self.arrive(part.name))
        self.rest()
        return progress

    def store(self, url):
        """Put something where a model's data is to be."""
        bucket, key = url.removeprefix("s3://").split("/", 1)
        with self.objects.writer(bucket, key) as writer:
            writer.write(b"data")
            writer.commit()
        return url

    def configs_of(self, name=NAME):
        """The configs that are there for an endpoint, by name."""
        return [each for each in self.configs() if each.startswith(f"{name}-")]

    def runs(self, name=NAME):
        return self.provisioner.look(name)

    def weights(self, name=NAME):
        return {v.name: v.weight for v in self.runs(name).blueprint.config.variants}

    def expire(self, name=NAME):
        """Let the lease run out, and the endpoint stop."""
        lease = self.book.get(name)
        self.clock.advance(lease.expires_at - self.clock.now())
        self.sweep.run()
        self.arrive(name)
        self.sweep.run()
        assert self.status(name) is None


def _member(path):
    """Where something differs: which variant's scaling, which member of a variant, which tag."""
    parts = path.split(".")
    deep = parts[0] in {"scaling", "tags"} or parts[0].startswith("productionVariants[")
    return ".".join(parts[:2]) if deep else parts[0]


def an_endpoint(name=NAME, **content):
    """An endpoint of one variant of the model `blue`; None leaves a key out."""
    given = {
        "endpointName": name,
        "productionVariants": [a_variant_of()],
        "scaling": {"AllTraffic": None},
        "tags": {PROJECT_TAG: PREFIX},
        "deploy": True,
        "keep": None,
        "schedule": None,
        "maintain": None,
        **content,
    }
    return Part(kind=Kind.ENDPOINT, name=name, key="text", content=given)


def a_model_part(key="model-a", url=f"s3://{BUCKET}/{PREFIX}/{'a' * 64}.tar.gz", **content):
    given = {"image": "pytorch-inference", "data_url": url, "environment": {}, **content}
    name = derived_name(f"{PREFIX}-{key}", given)
    return Part(kind=Kind.MODEL, name=name, key=key, content=given)


__all__ = [
    "BUCKET",
    "NAME",
    "PREFIX",
    "PROJECT",
    "SCALED",
    "Decimal",
    "KeeperWorld",
    "a_variant_of",
]
