"""The implementations of hosting, each with what the contract suite must be able to bring about."""

import asyncio
from contextlib import contextmanager

from parkade.adapters.aws.sagemaker.arns import Arns
from parkade.adapters.aws.sagemaker.hosting import SageMakerHosting
from parkade.adapters.aws.sagemaker.shelf import Shelf
from parkade.adapters.aws.sagemaker.sights import Sights
from parkade.adapters.aws.sagemaker.tags import Tags
from parkade.adapters.embedded.hosting import EmbeddedHosting
from parkade.adapters.memory.catalog import MemoryCatalogStore
from parkade.adapters.memory.clock import ManualClock
from parkade.adapters.memory.events import MemoryHistory
from parkade.adapters.memory.hosting import MemoryHosting
from parkade.adapters.memory.remains import MemoryRemainsStore
from parkade.adapters.memory.sights import MemorySightStore
from parkade.domain.blueprint import Blueprint
from parkade.domain.endpoint import EndpointStatus
from parkade.domain.errors import Unavailable
from tests.builders import (
    NOW,
    a_config,
    a_model,
    a_recorded_endpoint,
    a_rollout,
    a_variant,
    an_endpoint,
    an_event,
)
from tests.runtime.premises import Home, gone, in_service, status, until
from tests.wired import Loop, Wired

#: Endpoint configs that both know, and how their models behave: well, if nothing is said.
CONFIGS = {"config": "", "other": "", "broken": "broken", "slow": "silent"}


class InMemory:
    """Hosting in memory, whose statuses move on when told to."""

    def __init__(self):
        self.clock = ManualClock(NOW)
        self.hosting = MemoryHosting(self.clock, configs=CONFIGS)

    def settle(self, name):
        """Let the endpoint arrive where it is going, if it is not there yet."""
        seen = self.hosting.endpoints()[name]
        if seen.status != "Deleting" and seen.config_name == "broken":
            self.hosting.fail(name, "no ping")
        else:
            self.hosting.settle(name)

    def place(self, name, at):
        """Have an endpoint there in this status, as found rather than created."""
        self.hosting.place(an_endpoint(status=at, name=name))

    def place_staged(self, name):
        """Have an endpoint there in the midst of an update in stages."""
        self.hosting.place(an_endpoint(status="Updating", name=name, rollout=a_rollout()))

    def hide(self):
        """Let nothing be seen any more."""
        self.hosting.hide(Unavailable("throttled"))


class Embedded:
    """Hosting on a real host with real workers; time passes for it only while it is asked.

    Its event loop runs during each call and while the endpoint settles, so that what is seen
    between two calls holds still.
    """

    def __init__(self, home, runner=None):
        self.clock = home.clock = ManualClock(NOW)
        self._home = home
        self._runner = runner or asyncio.Runner()
        self._furnish()
        self._host = None
        self._start()

    def _furnish(self):
        self._home.put("falcon.tar.gz")
        for name, mode in CONFIGS.items():
            model = a_model(name, image="pytorch-inference", environment={"MODE": mode})
            self._home.store.add_model(model, an_event())
            config = a_config(name, variants=(a_variant(model_name=name),))
            self._home.store.add_config(config, an_event())

    def _start(self):
        self._host = self._home.host()
        self._runner.run(self._host.start())
        self.hosting = Stepped(EmbeddedHosting(self._host), self._runner)

    def settle(self, name):
        seen = self._host.observed().get(name)
        if seen is None or seen.status == "Deleting":
            arrived = gone(self._host, name)
        elif seen.config_name == "broken":
            arrived = until(lambda: status(self._host, name) == "Failed")
        else:
            arrived = in_service(self._host, name)
        self._runner.run(arrived)

    def place(self, name, at):
        self._place(name, at)

    def place_staged(self, name):
        rollout = a_rollout()
        self._place(name, EndpointStatus.UPDATING, rollout=rollout, strategy=rollout.strategy)

    def _place(self, name, at, **more):
        self._runner.run(self._host.close())
        store = self._home.store
        slow = Blueprint(config=store.config("slow"), models=(store.model("slow"),))
        updating = {"target": slow, "target_generation": 2} if at == "Updating" else {}
        recorded = a_recorded_endpoint(name, blueprint=slow, status=at, **updating, **more)
        self._home.store.put_endpoint(recorded, an_event())
        self._start()

    def hide(self):
        self._runner.run(self._host.close())
        self.hosting = Stepped(EmbeddedHosting(self._home.host()), self._runner)

    def close(self):
        self._runner.run(self._host.close())
        self._runner.close()


class SageMaker(Embedded):
    """Hosting by SageMaker's API, which the same host answers on the loopback."""

    def __init__(self, home):
        self._wired = None
        self.remains = MemoryRemainsStore()
        self.kept = MemoryCatalogStore(MemoryHistory(), self.remains)
        super().__init__(home, Loop())

    def _start(self):
        self._host = self._home.host()
        self._runner.run(self._host.start())
        if self._wired is None:
            self._wired = Wired(
                self._runner,
                self._home.folder,
                host=self._host,
                catalog=self._home.store,
                clock=self.clock,
                history=self._home.history,
            )
            account = self._wired.account
            self.tags = Tags(account, Arns(account), self.kept)
            self.hosting = SageMakerHosting(
                account,
                sights=Sights(account, MemorySightStore(), self.clock, shelf=Shelf(account)),
                tags=self.tags,
                remains=self.remains,
                clock=self.clock,
            )
        self._wired.services.host = self._host

    @property
    def asked(self):
        """The operations that SageMaker was asked for."""
        return self._wired.asked

    def hide(self):
        """Let nobody ask for anything any more."""
        denied = ("AccessDeniedException", "User is not authorized to perform: sagemaker:It", 400)
        self._wired.refuse = lambda *_: denied

    def close(self):
        self._wired.close()
        super().close()


class Stepped:
    """Hosting whose calls are made on its event loop."""

    def __init__(self, hosting, runner):
        self._hosting = hosting
        self._runner = runner

    def __getattr__(self, name):
        call = getattr(self._hosting, name)

        def step(*arguments):
            async def once():
                return call(*arguments)

            return self._runner.run(once())

        return step


@contextmanager
def hostings(kind, folder):
    """A world around a hosting of this kind: `hosting`, `clock`, `settle`, `place`, `hide`."""
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
