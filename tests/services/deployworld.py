"""A world in memory with a deployer: what it does is carried out call by call, without a loop."""

from dataclasses import replace

from parkade.adapters.memory.alarms import MemoryAlarmStore
from parkade.adapters.memory.deployments import MemoryDeploymentStore
from parkade.adapters.memory.provisioner import MemoryProvisioner
from parkade.adapters.memory.scaling import MemoryScalingStore
from parkade.domain.deploy import payload
from parkade.domain.deploy.deployment import Deployment, Status
from parkade.domain.deploy.naming import counts_of
from parkade.domain.endpoint import EndpointStatus
from parkade.domain.errors import EndpointNotFound, InvalidInput
from parkade.domain.scaling.target import Resource
from parkade.ports.capacity import Readiness, Reading
from parkade.services.alarms import Alarms
from parkade.services.deployer import Deployer
from parkade.services.deploying.desk import Desk
from parkade.services.deploying.rehearsing import Rehearsing
from parkade.services.deploying.walk import Walk
from parkade.services.notices import RecordedNotices
from parkade.services.scaling import Scaling
from parkade.services.scalingalarms import ScalingAlarms
from parkade.services.scalingmoves import Moves
from parkade.services.waking import Waking
from tests.builders import NOW, a_model, an_event, minutes
from tests.money import a_money
from tests.services.world import World

NAME = "falcon"


class Capacity:
    """The capacity port over what the provisioner of a test says that runs."""

    def __init__(self, provisioner):
        self._provisioner = provisioner

    def read(self, resource):
        present = self._provisioner.look(resource.name)
        if present is None:
            raise EndpointNotFound(f"there is no endpoint {resource.name!r}")
        counts = counts_of(present.blueprint)
        if resource.variant_name not in counts:
            raise InvalidInput(f"no variant {resource.variant_name!r}", field="ResourceId")
        count = counts[resource.variant_name]
        ready = present.observed.status is EndpointStatus.IN_SERVICE
        return Reading(
            resource=resource,
            endpoint_name=resource.name,
            readiness=Readiness.READY if ready else Readiness.CHANGING,
            current=count,
            desired=count,
            changed_at=present.observed.changed_at,
            floor=present.blueprint.config.fewest,
        )

    def set(self, wanted, actor):
        for resource, count in wanted.items():
            self._provisioner.scale(resource.name, resource.variant_name, count)


class DeployWorld(World):
    """`walk` takes one step after the other; `go` does so until nothing more is done by itself."""

    def __init__(self, **rules):
        super().__init__(**rules)
        for name in ("blue", "green"):
            self.catalog.add_model(a_model(name), an_event())
        self.deployments = MemoryDeploymentStore(self.history)
        self.provisioner = MemoryProvisioner(self.hosting, self.catalog, self.clock)
        self.scaling = self._scaling()
        self.waking = Waking(
            book=self.book, terms=self.terms_store, clock=self.clock, changed=self.nudge
        )
        self.leases_only = False
        self.spawned = []
        self.money = a_money(
            book=self.book, history=self.history, clock=self.clock, purses=self.purses
        )
        self.desk = self.a_desk()
        self.walk = Walk(self.desk)
        self.deployer = self.a_deployer()

    def _scaling(self):
        store = MemoryScalingStore(self.history)
        capacity = Capacity(self.provisioner)
        self.alarms = Alarms(MemoryAlarmStore(self.history), clock=self.clock)
        return Scaling(
            store,
            capacity,
            clock=self.clock,
            alarms=ScalingAlarms(
                self.alarms,
                store,
                self.clock,
                endpoint_of=lambda policy: policy.resource.name,
                region=lambda: "us-east-1",
                account="000000000000",
            ),
            moves=Moves(store, capacity, self.clock),
        )

    def a_desk(self, **ports):
        """The desk of this world, with some of its ports replaced."""
        own = {
            "deployments": self.deployments,
            "provisioner": self.provisioner,
            "meter": self.meter,
            "bookings": self.booking_store,
            "terms": self.terms,
            "waking": self.waking,
            "scaling": self.scaling,
            "history": self.history,
            "notices": RecordedNotices(self.history),
            "clock": self.clock,
            "leases_only": lambda: self.leases_only,
        }
        return Desk(**{**own, **ports})

    def a_deployer(self):
        return Deployer(
            self.desk,
            rehearsing=Rehearsing(
                self.desk,
                prices=self.money.prices,
                budgets=self.money.budgets,
                usual=lambda: minutes(30),
            ),
            spawn=self._spawn,
            changed=self.nudge,
        )

    def _spawn(self, coroutine):
        self.spawned.append(coroutine)
        coroutine.close()  # what it would do is done by `walk`

    def begin(self, **keys):
        """Begin a deployment of some order."""
        deployment = self.deployer.begin(an_order(**keys), "ann")
        self.deployer = self.a_deployer()  # its task was not run, as after a restart
        return deployment

    def go(self, deployment, *, walk=None):
        """Advance until nothing is left that can be done at once; return the deployment."""
        walk = walk or self.walk
        for _ in range(200):
            self.sweep.run()
            until = walk.advance(deployment.id)
            if until is None or until > self.clock.now():
                return self.deployments.get(deployment.id)
        raise AssertionError(f"it goes on for ever: {self.deployments.get(deployment.id)}")

    def arrive(self, name=NAME):
        """Let what the endpoint is on its way to come about, if it is."""
        seen = self.hosting.endpoints().get(name)
        if seen is not None and seen.status in {
            EndpointStatus.CREATING,
            EndpointStatus.UPDATING,
            EndpointStatus.DELETING,
        }:
            self.provisioner.arrive(name)

    def finish(self, deployment, *, walk=None, arrive=None):
        """Go on until it is over, with all that it waits for arriving."""
        for _ in range(20):
            current = self.go(deployment, walk=walk)
            if current.over:
                return current
            (arrive or self.arrive)()
        raise AssertionError(f"it is never over: {current}")

    def deployed(self, **keys):
        """A deployment that has succeeded."""
        deployment = self.finish(self.begin(**keys))
        assert deployment.status is Status.SUCCEEDED, deployment
        return deployment

    def config_of(self, name=NAME):
        seen = self.hosting.endpoints().get(name)
        return seen.config_name if seen else None

    def target(self, variant="AllTraffic"):
        return self.scaling.target(Resource(NAME, variant))

    def scale(self, count, variant="AllTraffic"):
        self.provisioner.scale(NAME, variant, count)

    def counts(self):
        return dict(counts_of(self.provisioner.look(NAME).blueprint))

    def configs(self):
        return sorted(config.name for config in self.catalog.configs().records)

    def told(self):
        return [event.reason for event in self.events(None, "notice.deployment")]


def a_variant_of(**members):
    return {"ModelName": "blue", "InstanceType": "ml.c5.large", **members}


def a_payload(**keys):
    """The seed's sample, by one variant of the model `blue`."""
    given = {
        "endpointName": NAME,
        "productionVariants": [a_variant_of()],
        "autoscalingMinCapacity": 1,
        "autoscalingMaxCapacity": 4,
    }
    return {name: value for name, value in {**given, **keys}.items() if value is not None}


def an_order(**keys):
    return payload.read(a_payload(**keys))


def outline(deployment: Deployment):
    """How its steps ended, in their order."""
    return [(str(step.kind), str(step.outcome)) for step in deployment.steps]


__all__ = ["NOW", "DeployWorld", "a_payload", "a_variant_of", "an_order", "outline", "replace"]
