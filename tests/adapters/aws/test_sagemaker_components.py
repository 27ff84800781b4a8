"""Inference components of an endpoint that is stopped and started, on SageMaker's API of a real host."""

from types import SimpleNamespace

import pytest

from parkade.adapters.aws.sagemaker.aftercare import Aftercare
from parkade.adapters.aws.sagemaker.arns import Arns
from parkade.adapters.aws.sagemaker.components import Components
from parkade.adapters.aws.sagemaker.hosting import SageMakerHosting
from parkade.adapters.aws.sagemaker.machines import SageMakerMachines
from parkade.adapters.aws.sagemaker.shelf import Shelf
from parkade.adapters.aws.sagemaker.sights import Sights
from parkade.adapters.aws.sagemaker.tags import Tags
from parkade.adapters.memory.catalog import MemoryCatalogStore
from parkade.adapters.memory.events import MemoryHistory
from parkade.adapters.memory.kept import MemoryKeptStore
from parkade.adapters.memory.remains import MemoryRemainsStore
from parkade.adapters.memory.sights import MemorySightStore
from parkade.domain.errors import EndpointBusy
from tests.builders import minutes
from tests.ports.capacities import SageMaker
from tests.runtime.premises import Home, gone, in_service, until


class World(SageMaker):
    """An endpoint that hosts a component, with nothing that scales it."""

    def __init__(self, home):
        super().__init__(home)
        account, remains = self._wired.account, MemoryRemainsStore()
        self._wired.services.scaling = SimpleNamespace(
            book=SimpleNamespace(targets=lambda: SimpleNamespace(records=())),
        )
        self.kept = MemoryKeptStore()
        shelf = Shelf(account)
        sights = Sights(account, MemorySightStore(), self.clock, shelf=shelf)
        self.components = Components(account, shelf)
        self.machines = SageMakerMachines(sights, self.components, self.clock)
        self.hosting = SageMakerHosting(
            account,
            sights=sights,
            tags=Tags(account, Arns(account), MemoryCatalogStore(MemoryHistory(), remains)),
            remains=remains,
            clock=self.clock,
            aftercare=Aftercare(account, self.kept, self.clock),
        )

    def run(self, what):
        self._runner.run(what)

    @property
    def host(self):
        return self._host


@pytest.fixture
def world(tmp_path):
    home = Home(tmp_path)
    built = World(home)
    yield built
    built.close()
    home.close()


def test_components_go_before_their_endpoint_and_come_back_after_it(world):
    before = world.components.get("parrot").recorded.component
    assert world.machines.host_of("host", "parrot") == before.variant_name
    assert world.machines.host_of("busy", "parrot") == "parrot"
    for _ in range(2):
        with pytest.raises(EndpointBusy, match="components"):
            world.hosting.delete("host")
        # Nobody brings back what is about to go.
        world.hosting.endpoints()
        assert list(world.kept.all()) == ["host"]
    world.run(until(lambda: "parrot" not in world.host.components()))
    world.hosting.delete("host")
    world.run(gone(world.host, "host"))
    assert list(world.kept.all()) == ["host"]

    world.clock.advance(minutes(1))
    world.hosting.create("host", "host")
    assert list(world.kept.all()) == ["host"]
    world.run(in_service(world.host, "host"))
    world.hosting.endpoints()
    assert world.kept.all() == {}
    world.run(until(lambda: world.host.component("parrot").recorded.status == "InService"))
    after = world.components.get("parrot").recorded.component
    assert (after.variant_name, after.copies, after.extras) == (
        before.variant_name,
        before.copies,
        before.extras,
    )
    assert world.components.names() == {"parrot": "host"}


def test_components_of_an_endpoint_that_stays_after_all_come_back(world):
    with pytest.raises(EndpointBusy, match="components"):
        world.hosting.delete("host")
    world.run(until(lambda: "parrot" not in world.host.components()))
    world.hosting.endpoints()
    assert world.components.names() == {}
    world.clock.advance(minutes(6))
    world.hosting.endpoints()
    assert world.components.names() == {"parrot": "host"}
    assert world.kept.all() == {}
