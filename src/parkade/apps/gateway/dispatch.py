"""Which worker gets which invocation: variant by weight, instance by least requests in flight.

Variants are drawn evenly rather than at random: weights 9 and 1 give exactly one request of
ten to the second, spread out. A request keeps the variant it was drawn for while that one is
busy; it waits in that variant's queue, first come first served. Where nothing can take it at all
(every worker of the endpoint is on its way back) it waits for the endpoint.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from parkade.apps import link
from parkade.apps.gateway import answers
from parkade.apps.gateway.deadlines import Deadlines
from parkade.apps.gateway.upstream import CONNECTIONS, Instance

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterable

    from parkade.apps.gateway.counters import Counter, Ledger
    from parkade.apps.gateway.invocation import Invocation

#: The state in which an endpoint will serve again by itself: what waits goes on waiting.
STARTING = "starting"


class Variant:
    """One variant: its share, its instances, and what waits for them."""

    __slots__ = ("_turn", "counter", "credit", "header", "instances", "open", "waiting", "weight")

    def __init__(self, name: str, counter: Counter) -> None:
        self.counter = counter
        self.header = b"x-Amzn-Invoked-Production-Variant: %b\r\n" % name.encode()
        self.weight = 0.0
        #: How far it is behind its share.
        self.credit = 0.0
        self.instances: list[Instance] = []
        #: Those instances that accept connections.
        self.open: list[Instance] = []
        self.waiting: OrderedDict[Invocation, None] = OrderedDict()
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

    def vanish(self) -> None:
        """Take nothing new; what is under way is finished."""
        for instance in self.instances:
            instance.vanish()
        self.instances, self.open = [], []

    def least_busy(self, shunned: Instance | None = None) -> Instance | None:
        """Return the instance with the fewest requests in flight; None: all have their fill.

        Among equals they take turns. One that is shunned is taken where it is the only one.
        """
        instances = self.open
        if shunned is not None and len(instances) > 1:
            instances = [each for each in instances if each is not shunned]
        if len(instances) == 1:
            best = instances[0]
        else:
            self._turn = turn = (self._turn + 1) % len(instances)
            best = instances[turn]
            for index in range(turn - 1, turn - len(instances), -1):
                if not best.in_flight:
                    break
                if instances[index].in_flight < best.in_flight:
                    best = instances[index]
        return best if best.in_flight < CONNECTIONS else None


class Endpoint:
    """One endpoint: its variants, what waits, or why it does not serve."""

    __slots__ = (
        "_final",
        "_fleet",
        "_queued",
        "_unplaced",
        "_usable",
        "_variants",
        "name",
        "refusal",
    )

    def __init__(self, name: str, fleet: Fleet, refusal: answers.Answer | None = None) -> None:
        self.name = name
        #: The answer to all invocations while it does not serve.
        self.refusal = refusal
        #: The answer to those that were admitted before and wait, too; None: they wait on.
        self._final = refusal
        self._fleet = fleet
        self._variants: dict[str, Variant] = {}
        #: Those that are drawn from.
        self._usable: list[Variant] = []
        self._unplaced: OrderedDict[Invocation, None] = OrderedDict()
        self._queued = 0

    def update(self, view: link.EndpointView) -> None:
        """Take up the snapshot's view; what waits is dispatched anew, or told why not."""
        waiting = self._collect()
        self.refusal = answers.down(view.down, self.name) if view.down is not None else None
        former = self._variants
        self._variants = {}
        for route in view.variants:
            variant = former.pop(route.name, None)
            if variant is None:
                variant = Variant(route.name, self._fleet.ledger.of(self.name, route.name))
            variant.update(route, self._refresh)
            self._variants[route.name] = variant
        for variant in former.values():
            variant.vanish()
        self._find_usable()
        lasting = view.down is not None and view.down.reason != STARTING
        self._final = self.refusal if lasting else None
        self._dispatch_again(waiting)

    def vanish(self) -> None:
        """Stop serving: there is no such endpoint any more."""
        waiting = self._collect()
        self.refusal = self._final = answers.unknown_endpoint(self.name)
        for variant in self._variants.values():
            variant.vanish()
        self._variants = {}
        self._find_usable()
        self._dispatch_again(waiting)

    def admit(self, invocation: Invocation) -> None:
        """Give the invocation to a worker, let it wait for one, or refuse it."""
        if self.refusal is not None:
            invocation.refuse(self.refusal)
        elif invocation.wanted and self._lacks(invocation.wanted):
            invocation.refuse(answers.unknown_variant(invocation.wanted, self.name))
        elif not self._give(invocation):
            if self._queued >= self._fleet.waiting:
                invocation.refuse(answers.TOO_MANY_WAITING)
            else:
                self._wait(invocation)

    def place(self, invocation: Invocation) -> None:
        """Find a worker for an invocation that was admitted and has none."""
        if self._final is not None:
            invocation.refuse(self._final)
        elif invocation.wanted and self._lacks(invocation.wanted):
            invocation.refuse(answers.unknown_variant(invocation.wanted, self.name))
        elif not self._give(invocation):
            self._wait(invocation)

    def free(self, invocation: Invocation) -> None:
        """Take the invocation from its instance; the place goes to the first that waits."""
        if invocation.instance is not None:
            invocation.instance.in_flight -= 1
            invocation.instance = None
        if invocation.variant is not None and invocation.variant.waiting:
            self._pump(invocation.variant)

    def leave(self, invocation: Invocation) -> None:
        """Take out an invocation that is over."""
        if invocation.queue is not None:
            del invocation.queue[invocation]
            invocation.queue = None
            self._queued -= 1
        self.free(invocation)
        if invocation.variant is not None:
            invocation.variant.counter.in_flight -= 1
            invocation.variant = None

    def _lacks(self, wanted: str) -> bool:
        """Tell whether a target variant is none of those that there are."""
        return bool(self._variants) and wanted not in self._variants

    def _give(self, invocation: Invocation) -> bool:
        variant = invocation.variant
        if variant is None or not variant.open:
            variant = self._choose(invocation.wanted)
            if variant is None:
                return False
            if invocation.variant is not None:
                invocation.variant.counter.in_flight -= 1
            invocation.variant = variant
            variant.counter.in_flight += 1
        instance = variant.least_busy(invocation.shunned)
        if instance is None:
            return False
        instance.take(invocation)
        return True

    def _choose(self, wanted: str) -> Variant | None:
        if wanted:
            variant = self._variants.get(wanted)
            return variant if variant is not None and variant.open else None
        usable = self._usable
        if len(usable) == 1:
            return usable[0]
        best = None
        total = 0.0
        for variant in usable:
            share = variant.weight or 1.0
            total += share
            variant.credit += share
            if best is None or variant.credit > best.credit:
                best = variant
        if best is not None:
            best.credit -= total
        return best

    def _wait(self, invocation: Invocation) -> None:
        variant = invocation.variant
        queue = variant.waiting if variant is not None and variant.open else self._unplaced
        queue[invocation] = None
        invocation.queue = queue
        self._queued += 1

    def _pump(self, variant: Variant) -> None:
        while variant.waiting and variant.open:
            instance = variant.least_busy()
            if instance is None:
                return
            invocation, _ = variant.waiting.popitem(last=False)
            invocation.queue = None
            self._queued -= 1
            instance.take(invocation)

    def _refresh(self) -> None:
        """Dispatch anew what waits: an instance has begun or stopped to accept connections."""
        waiting = self._collect()
        self._find_usable()
        self._dispatch_again(waiting)

    def _find_usable(self) -> None:
        for variant in self._variants.values():
            variant.open = [each for each in variant.instances if not each.refusing]
        # Where no variant has a weight at all, each gets the same.
        weighed = any(variant.weight for variant in self._variants.values())
        self._usable = [
            variant
            for variant in self._variants.values()
            if variant.open and (variant.weight or not weighed)
        ]

    def _collect(self) -> list[Invocation]:
        queues = [self._unplaced, *(each.waiting for each in self._variants.values())]
        waiting = [invocation for queue in queues for invocation in queue]
        for queue in queues:
            queue.clear()
        for invocation in waiting:
            invocation.queue = None
        self._queued = 0
        return sorted(waiting, key=lambda invocation: invocation.number)

    def _dispatch_again(self, waiting: Iterable[Invocation]) -> None:
        for invocation in waiting:
            self.place(invocation)


class Fleet:
    """All endpoints of the newest snapshot, and the limits they share."""

    def __init__(self, loop: asyncio.AbstractEventLoop, ledger: Ledger) -> None:
        limits = link.Limits()
        self.ledger = ledger
        self.waiting = limits.waiting
        self.body_bytes = limits.body_bytes
        self.patience: Deadlines[Invocation] = Deadlines(loop, limits.model_seconds, _expire)
        self._loop = loop
        self._endpoints: dict[str, Endpoint] = {}
        self._unknown = False

    def apply(self, snapshot: link.Snapshot) -> None:
        """Make the snapshot the truth; what is under way goes on undisturbed."""
        limits = snapshot.limits
        self.waiting = limits.waiting
        self.body_bytes = limits.body_bytes
        if limits.model_seconds != self.patience.seconds:
            # What was begun under the former limit keeps it.
            self.patience = Deadlines(self._loop, limits.model_seconds, _expire)
        former = self._endpoints
        self._endpoints = {}
        self._unknown = True
        for name, view in snapshot.endpoints.items():
            known = former.pop(name, None)
            endpoint = self._endpoints[name] = Endpoint(name, self) if known is None else known
            endpoint.update(view)
        for endpoint in former.values():
            endpoint.vanish()
        self.ledger.forget(self._endpoints)

    def endpoint(self, name: str) -> Endpoint:
        """Return the endpoint, or for an unknown name one that says so to all invocations."""
        known = self._endpoints.get(name)
        if known is not None:
            return known
        refusal = answers.unknown_endpoint(name) if self._unknown else answers.NOT_YET
        return Endpoint(name, self, refusal)


def _expire(invocation: Invocation) -> None:
    invocation.expire()
