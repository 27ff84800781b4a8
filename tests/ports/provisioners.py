"""The provisioners that the contract suite runs on, each with what brings its endpoints along."""

import asyncio
from contextlib import contextmanager

from parkade.adapters.aws.sagemaker.arns import Arns
from parkade.adapters.aws.sagemaker.hosting import SageMakerHosting
from parkade.adapters.aws.sagemaker.provisioner import SageMakerProvisioner
from parkade.adapters.aws.sagemaker.shelf import Shelf
from parkade.adapters.aws.sagemaker.sights import Sights
from parkade.adapters.aws.sagemaker.tags import Tags
from parkade.adapters.embedded.provisioner import EmbeddedProvisioner
from parkade.adapters.memory.catalog import MemoryCatalogStore
from parkade.adapters.memory.clock import ManualClock
from parkade.adapters.memory.events import MemoryHistory
from parkade.adapters.memory.hosting import MemoryHosting
from parkade.adapters.memory.provisioner import MemoryProvisioner
from parkade.adapters.memory.remains import MemoryRemainsStore
from parkade.adapters.memory.sights import MemorySightStore
from tests.builders import NOW, a_model, an_event
from tests.runtime.premises import Home, gone, in_service, status, until
from tests.wired import Loop, Wired

#: Models that both know; one of them does not start.
MODELS = {"blue": "", "green": "", "broken": "broken"}


class InMemory:
    """A provisioner in memory, whose endpoints move on when told to."""

    def __init__(self):
        clock = ManualClock(NOW)
        history = MemoryHistory()
        self._hosting = MemoryHosting(clock)
        catalog = MemoryCatalogStore(history, MemoryRemainsStore())
        for name in MODELS:
            catalog.add_model(a_model(name), an_event())
        self.provisioner = MemoryProvisioner(self._hosting, catalog, clock)

    def settle(self, name):
        """Let the endpoint arrive, or turn back where what is to run does not start."""
        seen = self._hosting.endpoints()[name]
        if seen.target_config_name.startswith("broken"):
            self.provisioner.turn_back(name, "no ping")
        elif seen.status != "InService":
            self.provisioner.arrive(name)


class Embedded:
    """A provisioner over a real host, whose event loop runs during each call."""

    def __init__(self, home, runner=None):
        self._home = home
        home.clock = ManualClock(NOW)
        home.put("falcon.tar.gz")
        for name, mode in MODELS.items():
            model = a_model(name, image="pytorch-inference", environment={"MODE": mode})
            home.store.add_model(model, an_event())
        self._runner = runner or asyncio.Runner()
        self._host = home.host()
        self._runner.run(self._host.start())
        self.provisioner = self._provisioner()

    def _provisioner(self):
        home = self._home
        port = EmbeddedProvisioner(self._host, home.store, home.history, home.clock, lambda: None)
        return _Stepped(port, self._runner)

    def settle(self, name):
        seen = self._host.observed()[name]
        if seen.status == "Deleting":
            self._runner.run(gone(self._host, name))
        elif seen.status == "Updating":
            self._runner.run(until(lambda: status(self._host, name) == "InService"))
        else:
            self._runner.run(in_service(self._host, name))

    def close(self):
        self._runner.run(self._host.close())
        self._runner.close()


class SageMaker(Embedded):
    """A provisioner by SageMaker's API, which the same host answers on the loopback."""

    def __init__(self, home):
        super().__init__(home, Loop())

    def _provisioner(self):
        home = self._home
        self._wired = Wired(
            self._runner,
            home.folder,
            host=self._host,
            catalog=home.store,
            clock=home.clock,
            history=home.history,
        )
        account, clock, remains = self._wired.account, home.clock, MemoryRemainsStore()
        sights = Sights(account, MemorySightStore(), clock, shelf=Shelf(account))
        tags = Tags(account, Arns(account), MemoryCatalogStore(MemoryHistory(), remains))
        return SageMakerProvisioner(
            account,
            sights=sights,
            hosting=SageMakerHosting(
                account, sights=sights, tags=tags, remains=remains, clock=clock
            ),
            tags=tags,
            history=MemoryHistory(),
            clock=clock,
        )

    def close(self):
        self._wired.close()
        super().close()


class _Stepped:
    """A port whose calls are made on the event loop of its host."""

    def __init__(self, port, runner):
        self._port = port
        self._runner = runner

    def __getattr__(self, name):
        call = getattr(self._port, name)

        def step(*arguments, **keywords):
            async def once():
                return call(*arguments, **keywords)

            return self._runner.run(once())

        return step


@contextmanager
def provisioners(kind, folder):
    """A world around a provisioner of this kind: `provisioner`, `settle`."""
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
