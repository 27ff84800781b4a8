"""The implementations of capacity, each with what the contract suite must be able to bring about."""

import asyncio
from contextlib import contextmanager

from parkade.adapters.aws.sagemaker.capacity import SageMakerCapacity
from parkade.adapters.aws.sagemaker.components import Components
from parkade.adapters.aws.sagemaker.shelf import Shelf
from parkade.adapters.aws.sagemaker.sights import Sights
from parkade.adapters.embedded.capacity import EmbeddedCapacity
from parkade.adapters.memory.capacity import MemoryCapacity
from parkade.adapters.memory.clock import ManualClock
from parkade.adapters.memory.sights import MemorySightStore
from parkade.domain.catalog import Asynchronous
from parkade.domain.scaling.target import Resource
from parkade.ports.capacity import Readiness, Reading
from parkade.runtime.rules import HostRules
from tests.builders import NOW, a_component, a_config, a_model, a_variant, an_event
from tests.ports.hostings import Stepped
from tests.runtime.premises import QUICK, Home, in_service, until
from tests.wired import Loop, Wired

BUSY = Resource("busy", "blue")
LATE = Resource("late", "blue")
COPIES = Resource("parrot")
#: Workers that there can be in all: of the three, and two more.
ROOM = 5


class InMemory:
    """Capacities in memory, which arrive when told to."""

    def __init__(self):
        self.clock = ManualClock(NOW)
        self.capacity = MemoryCapacity(self.clock)
        self.capacity.slow = True
        for resource, floor in ((BUSY, 1), (LATE, 0), (COPIES, 0)):
            self.capacity.put(
                Reading(
                    resource=resource,
                    endpoint_name=resource.name if resource.variant_name else "host",
                    readiness=Readiness.READY,
                    current=1,
                    desired=1,
                    changed_at=NOW,
                    awake_since=NOW,
                    floor=floor,
                )
            )
        self.capacity.room = ROOM

    def settle(self):
        """Let what was begun arrive."""
        self.capacity.arrive()


class Embedded:
    """Capacities on a real host with real workers; time passes only while it is asked."""

    def __init__(self, home, runner=None):
        self._home = home
        self.clock = home.clock = ManualClock(NOW)
        home.rules = HostRules(workers=ROOM, patience=QUICK)
        self._runner = runner or asyncio.Runner()
        home.put("falcon.tar.gz")
        model = a_model("m", image="pytorch-inference")
        home.store.add_model(model, an_event())
        self._host = home.host()
        self._runner.run(self._begin(model))
        self.capacity = self._capacity()

    def _capacity(self):
        return Stepped(EmbeddedCapacity(self._host), self._runner)

    async def _begin(self, model):
        host = self._host
        await host.start()
        configs = {
            "busy": a_config("busy", variants=(a_variant(model_name="m"),)),
            "late": a_config(
                "late",
                variants=(a_variant(model_name="m"),),
                asynchronous=Asynchronous(output="s3://answers/late"),
            ),
            "host": a_config("host", variants=(a_variant(model_name=""),)),
        }
        for name, config in configs.items():
            host.create_config(config, "ann")
            host.create_endpoint(name, name, "ann")
            await in_service(host, name)
        copies = a_component(
            endpoint_name="host", model=model, extras={"Specification": {"ModelName": "m"}}
        )
        host.create_component(copies, "ann")
        await until(lambda: host.component("parrot").recorded.status == "InService")

    def settle(self):
        async def settled():
            await in_service(self._host, "busy")
            await in_service(self._host, "late")
            await until(lambda: self._host.component("parrot").recorded.status == "InService")

        self._runner.run(settled())

    def close(self):
        self._runner.run(self._host.close())
        self._runner.close()


class SageMaker(Embedded):
    """Capacities by SageMaker's API, which the same host answers on the loopback."""

    def __init__(self, home):
        super().__init__(home, Loop())

    def _capacity(self):
        home = self._home
        self._wired = Wired(
            self._runner, home.folder, host=self._host, catalog=home.store, clock=self.clock
        )
        account = self._wired.account
        shelf = Shelf(account)
        return SageMakerCapacity(
            account,
            sights=Sights(account, MemorySightStore(), self.clock, shelf=shelf),
            components=Components(account, shelf),
        )

    def close(self):
        self._wired.close()
        super().close()


@contextmanager
def capacities(kind, folder):
    """A world with a capacity of this kind of three things of one instance: `capacity`, `settle`."""
    if kind == "memory":
        yield InMemory()
        return
    home = Home(folder)
    try:
        world = SageMaker(home) if kind == "sagemaker" else Embedded(home)
        try:
            yield world
        finally:
            world.close()
    finally:
        home.close()
