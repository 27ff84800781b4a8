"""A variant, or an inference component: its instances, what waits for them, what it takes."""

from __future__ import annotations

import random
from collections import OrderedDict
from typing import TYPE_CHECKING

from parkade.apps.gateway import objections, targets
from parkade.apps.gateway.answers import PRIMARY, Answer
from parkade.apps.gateway.instances import CONNECTIONS, Instance
from parkade.apps.gateway.pipelines import Relay
from parkade.domain import assignment

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from parkade.apps import link
    from parkade.apps.gateway.carried import Carried
    from parkade.apps.gateway.counters import Counter
    from parkade.apps.gateway.invocation import Invocation


class Variant:
    """One variant: its share, its instances, and what waits for them."""

    __slots__ = (
        "_concurrency",
        "_direct",
        "_hostnames",
        "_random",
        "_serial",
        "_turn",
        "cold",
        "containers",
        "counter",
        "credit",
        "demanding",
        "generation",
        "header",
        "instances",
        "multi_model",
        "name",
        "open",
        "rises",
        "share",
        "waiting",
        "weight",
    )

    def __init__(self, name: str, counter: Counter, *, told: str = "") -> None:
        """Callers are `told` another name where this is a component's."""
        self.name = name
        self.counter = counter
        self.header = b"x-Amzn-Invoked-Production-Variant: %b\r\n" % (told or name).encode()
        self.weight = 0.0
        #: How far it is behind its share.
        self.credit = 0.0
        #: Of the endpoint's instances, while one generation takes over from another; 0: never mind.
        self.generation = 0
        #: Whether that is the one that takes over, and what it has of the endpoint's requests.
        self.rises = False
        self.share = 1.0
        self.instances: list[Instance] = []
        #: Those instances that accept connections.
        self.open: list[Instance] = []
        self.waiting: OrderedDict[Invocation, None] = OrderedDict()
        #: What waits for its target model, which is in no instance yet.
        self.cold: OrderedDict[Invocation, None] = OrderedDict()
        #: Whether requests name a target model, and go where it is loaded.
        self.multi_model = False
        #: Whether every request has to be prepared for it.
        self.demanding = False
        #: What its containers are called, in their order.
        self.containers: tuple[str, ...] = (PRIMARY,)
        self._hostnames: tuple[str, ...] = ()
        self._random = self._serial = self._direct = False
        self._concurrency: int | None = None
        self._turn = 0

    def update(self, route: link.VariantRoute, changed: Callable[[], None]) -> None:
        """Take up the snapshot's instances; one that is still there keeps its connections."""
        former = {(instance.id, instance.addresses): instance for instance in self.instances}
        self.weight = route.weight
        self.instances = []
        for each in route.instances:
            known = former.pop((each.id, each.addresses), None)
            self.instances.append(Instance(each, changed) if known is None else known)
        for instance in former.values():
            instance.vanish()
        several = len(route.hostnames) > 1
        self._hostnames = route.hostnames
        self.containers = (PRIMARY,)
        if several:
            named = enumerate(route.hostnames, 1)
            self.containers = tuple(name or f"container-{number}" for number, name in named)
        self._random = route.random
        self._direct = route.direct
        self._serial = several and not route.direct
        self.multi_model = route.multi_model
        self._concurrency = route.concurrency
        self.demanding = (
            several or route.direct or route.multi_model or route.concurrency is not None
        )

    def vanish(self) -> None:
        """Take nothing new; what is under way is finished."""
        for instance in self.instances:
            instance.vanish()
        self.instances, self.open = [], []

    def prepare(self, invocation: Carried, endpoint: str) -> Answer | None:
        """Make the invocation one for this variant, or return why it is none."""
        asked = invocation.asked
        invocation.at = 0
        invocation.relay = Relay(len(self.containers)) if self._serial else None
        if self.multi_model:
            target = targets.checked(asked.model)
            if isinstance(target, Answer):
                return target
            invocation.target = target
        elif asked.model:
            return objections.not_multi_model(asked.model, endpoint)
        if self._direct:
            if asked.hostname not in self._hostnames or not asked.hostname:
                return objections.unknown_container(asked.hostname, endpoint, self._hostnames)
            invocation.at = self._hostnames.index(asked.hostname)
        elif asked.hostname:
            return objections.not_direct(asked.hostname, endpoint)
        if self._concurrency is None:
            return None
        if invocation.size > objections.SERVERLESS_BODY:
            return objections.serverless_body(self.name)
        if self.counter.in_flight >= self._concurrency:
            return objections.concurrency_reached(self.name, endpoint, self._concurrency)
        return None

    def pick(self, shunned: Instance | None = None) -> Instance | None:
        """Return the instance for the next request; None: all have their fill.

        It is the one with the fewest requests in flight, equals in turn, or any of them. One that
        is shunned is taken where it is the only one.
        """
        instances = self.open
        if shunned is not None and len(instances) > 1:
            instances = [each for each in instances if each is not shunned]
        if len(instances) == 1:
            best = instances[0]
        elif self._random:
            free = [each for each in instances if each.in_flight < CONNECTIONS]
            return random.choice(free) if free else None  # noqa: S311  it is no secret
        else:
            self._turn = turn = (self._turn + 1) % len(instances)
            best = instances[turn]
            for index in range(turn - 1, turn - len(instances), -1):
                if not best.in_flight:
                    break
                if instances[index].in_flight < best.in_flight:
                    best = instances[index]
        return best if best.in_flight < CONNECTIONS else None


def taken_up(
    former: dict[str, Variant],
    routes: Mapping[str, link.VariantRoute],
    counters: Callable[[str], Counter],
    changed: Callable[[], None],
    told: Mapping[str, str] | None = None,
) -> dict[str, Variant]:
    """Return the variants of these routes, made of the former ones; what is left of them vanishes.

    Inference components are `told` as the variants that they run on.
    """
    told = told or {}
    variants = {}
    for name, route in routes.items():
        variant = former.pop(name, None)
        if variant is None:
            counter = counters(name)
            counter.component = name in told
            variant = Variant(name, counter, told=told.get(name, ""))
        variant.update(route, changed)
        variants[name] = variant
    for variant in former.values():
        variant.vanish()
    return variants


def weighed(variants: Collection[Variant]) -> list[Variant]:
    """Return those of a generation that are drawn from."""
    # Where no variant has a weight at all, each gets the same.
    some = any(variant.weight for variant in variants)
    return [each for each in variants if each.open and (each.weight or not some)]


def assigned(caller: str, variants: Iterable[Variant]) -> Variant | None:
    """Return the one that is the caller's; None: there is none."""
    named = {each.name: each for each in variants}
    # As for those that are drawn: where none has a weight, each gets the same.
    name = assignment.assigned(caller, ((each.name, each.weight or 1.0) for each in named.values()))
    return None if name is None else named[name]


def drawn(variants: Iterable[Variant]) -> Variant | None:
    """Return the one that is furthest behind its share; None: there is none."""
    best = None
    total = 0.0
    for variant in variants:
        share = variant.weight or 1.0
        total += share
        variant.credit += share
        if best is None or variant.credit > best.credit:
            best = variant
    if best is not None:
        best.credit -= total
    return best
