"""Which worker gets which invocation: variant by weight, instance by least requests in flight.

Variants are drawn evenly rather than at random: weights 9 and 1 give exactly one request of
ten to the second, spread out. A request keeps the variant it was drawn for while that one is
busy; it waits in that variant's queue, first come first served. Where nothing can take it at all
(every worker of the endpoint is on its way back) it waits for the endpoint.

What a request asks for by its headers comes first: a target variant, an inference component, or
the instance that holds its session. Where its route tells callers apart, each has a variant of its own.

While an update goes in stages there are variants of two generations; which of them has its turn is
the crossing's to say.

While the endpoint does not serve, its absence decides who is held and what the others are told.
"""

from __future__ import annotations

from functools import partial
from itertools import chain
from time import monotonic
from typing import TYPE_CHECKING

from parkade.apps.gateway import answers, objections
from parkade.apps.gateway.absence import Absence, Nowhere, hold
from parkade.apps.gateway.crossing import Crossing, crossed
from parkade.apps.gateway.headers import NEW_SESSION, NOTHING
from parkade.apps.gateway.instances import CONNECTIONS
from parkade.apps.gateway.queueing import Queueing
from parkade.apps.gateway.sessions import Sessions, steady
from parkade.apps.gateway.sticking import NOBODY
from parkade.apps.gateway.targets import COLD
from parkade.apps.gateway.variants import assigned, drawn, taken_up, weighed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from parkade.apps import link
    from parkade.apps.gateway.awaiting import Awaiting
    from parkade.apps.gateway.fleet import Fleet
    from parkade.apps.gateway.invocation import Invocation
    from parkade.apps.gateway.taps import EndpointTap
    from parkade.apps.gateway.variants import Variant


class Endpoint:
    """One endpoint: its variants, what waits, or why it does not serve."""

    __slots__ = (
        "_asynchronous",
        "_components",
        "_crossing",
        "_fleet",
        "_queueing",
        "_rising",
        "_special",
        "_usable",
        "_variants",
        "absence",
        "name",
        "sessions",
        "tap",
    )

    def __init__(self, name: str, fleet: Fleet, refusal: answers.Answer | None = None) -> None:
        self.name = name
        #: Why it does not serve; None: it does.
        self.absence: Absence | Nowhere | None = None if refusal is None else Nowhere(refusal)
        self.sessions = Sessions(fleet.wall)
        #: Who looks at its invocations when they are over; None: nobody.
        self.tap: EndpointTap | None = None
        self._fleet = fleet
        self._variants: dict[str, Variant] = {}
        #: Those of the generation that takes over, and how it does; None: none does.
        self._rising: dict[str, Variant] = {}
        self._crossing: Crossing | None = None
        #: Inference components, which serve instead of the variants; None: it hosts none.
        self._components: dict[str, Variant] | None = None
        self._asynchronous = False
        #: Whether there is something about it that every request has to be compared with.
        self._special = False
        #: Those that are drawn from.
        self._usable: list[Variant] = []
        self._queueing = Queueing(name, fleet.ledger)

    def update(self, view: link.EndpointView) -> None:
        """Take up the snapshot's view; what waits is dispatched anew, or told why not."""
        waiting = self._collect()
        down = view.down
        returns = self.absence is not None and down is None
        self.absence = None if down is None else Absence(self.name, down, self._fleet)
        if down is None:
            self._fleet.wishes.answered(self.name)
        if self._crossing is not None and self._crossing.generation == view.generation:
            # It has taken over: what runs there, and waits there, goes on.
            self._variants, self._rising = self._rising, self._variants
        self._variants = self._taken_up(self._variants, {each.name: each for each in view.variants})
        self._cross(view)
        former, routes = self._components or {}, view.components or {}
        components = self._taken_up(
            former,
            {name: each.route for name, each in routes.items()},
            told={name: each.variant for name, each in routes.items()},
        )
        self._components = components if view.components is not None else None
        self._asynchronous = view.asynchronous
        self._special = view.asynchronous or view.components is not None
        self.tap = self._fleet.taps.of(self.name, view, self.tap)
        self._find_usable()
        if returns:
            self._count_copyless(waiting)
        self._dispatch_again(waiting)

    def _cross(self, view: link.EndpointView) -> None:
        """Take up which generation takes over, and its share."""
        routes = view.rising.variants if view.rising is not None else ()
        self._rising = self._taken_up(self._rising, {each.name: each for each in routes})
        self._crossing = crossed(
            view, self._crossing, self._variants.values(), self._rising.values()
        )

    def vanish(self) -> None:
        """Stop serving: there is no such endpoint any more."""
        waiting = self._collect()
        self.absence = Nowhere(answers.unknown_endpoint(self.name))
        self._fleet.wishes.answered(self.name)
        for variant in self._all():
            variant.vanish()
        self._variants, self._rising, self._components = {}, {}, None
        self._crossing = None
        if self.tap is not None:
            self.tap.vanish()
            self.tap = None
        self._find_usable()
        self._dispatch_again(waiting)

    def admit(self, invocation: Invocation) -> None:
        """Give the invocation to a worker, let it wait for one, or refuse it."""
        if self.absence is not None:
            if self._asynchronous:
                invocation.refuse(objections.only_asynchronous(self.name))
            elif self.absence.receive(invocation):
                self._queueing.add(invocation)
        elif self._objects(invocation, new=True):
            pass
        elif not self._give(invocation):
            wait = invocation.asked.wait or 0
            if self._queueing.count >= self._fleet.waiting:
                invocation.refuse(answers.TOO_MANY_WAITING)
            elif self._copyless(invocation) is None or hold(invocation, self._fleet, wait):
                self._queueing.add(invocation)

    def place(self, invocation: Invocation) -> None:
        """Find a worker for an invocation that was admitted and has none."""
        if self.absence is not None:
            if self.absence.keep(invocation):
                self._queueing.add(invocation)
        elif self._objects(invocation, new=False):
            pass
        elif not self._give(invocation):
            self._queueing.add(invocation)
        elif invocation.held:
            invocation.let_go()

    def free(self, invocation: Invocation) -> None:
        """Take the invocation from its instance; the place goes to the first that waits."""
        if invocation.instance is not None:
            invocation.instance.in_flight -= 1
            invocation.instance = None
        if invocation.copy is not None:
            copy, invocation.copy = invocation.copy, None
            self._fleet.targets.done(copy)
        if invocation.variant is not None and invocation.variant.waiting:
            self._pump(invocation.variant)

    def leave(self, invocation: Invocation) -> None:
        """Take out an invocation that is over."""
        if invocation.queue is not None:
            self._queueing.drop(invocation)
        self.free(invocation)
        if invocation.variant is not None:
            invocation.variant.counter.in_flight -= 1
            invocation.variant = None

    def lacks_capacity(self, invocation: Awaiting) -> bool:
        """Refuse one that still has no copy of its component; tell whether that was done."""
        component = self._copyless(invocation)
        if component is None:
            return False
        invocation.refuse(objections.no_capacity(component.name))
        return True

    def settled(self, where: tuple[str, int], target: str, refusal: answers.Answer | None) -> None:
        """Know that a target model is loaded there, or the answer why it is not.

        `where` is a variant's name with the generation that was asked for.
        """
        cold = [
            each
            for variant in self._all()
            if variant.name == where[0] and where[1] in {0, variant.generation}
            for each in variant.cold
            if each.target == target
        ]
        for invocation in cold:
            self._queueing.take(invocation)
            if refusal is None:
                self.place(invocation)
            else:
                invocation.bootless(refusal)

    @property
    def bare(self) -> bool:
        """Tell whether none of its variants has an instance."""
        return not any(variant.instances for variant in self._all())

    def _taken_up(
        self,
        former: dict[str, Variant],
        routes: Mapping[str, link.VariantRoute],
        told: Mapping[str, str] | None = None,
    ) -> dict[str, Variant]:
        counters = partial(self._fleet.ledger.of, self.name)
        return taken_up(former, routes, counters, self._refresh, told)

    def _all(self) -> Iterator[Variant]:
        components = (self._components or {}).values()
        return chain(self._variants.values(), self._rising.values(), components)

    def _objects(self, invocation: Invocation, *, new: bool) -> bool:
        """Refuse what does not fit this endpoint, and tell whether that was done."""
        if invocation.asked is NOTHING and not self._special:
            return False
        objection = self._objection(invocation, new=new)
        if objection is not None:
            invocation.refuse(objection)
        return objection is not None

    def _objection(self, invocation: Invocation, *, new: bool) -> answers.Answer | None:
        asked = invocation.asked
        if self._asynchronous:
            return objections.only_asynchronous(self.name)
        if asked.explanations:
            return objections.no_explainer(self.name)
        if self._components is not None:
            if not asked.component:
                return objections.COMPONENT_MISSING
            component = self._components.get(asked.component)
            if component is None:
                return objections.unknown_component(asked.component, self.name)
            if new and not component.instances:
                # It is by these that a component is scaled up from zero, be they held or not.
                component.counter.no_capacity += 1
                waits = self._fleet.holding.bounded(asked.wait or 0)
                return None if waits else objections.no_capacity(asked.component)
        elif asked.component:
            return objections.no_components(asked.component, self.name)
        if asked.variant and self._variants and asked.variant not in self._variants:
            return objections.unknown_variant(asked.variant, self.name)
        return None

    def _count_copyless(self, waiting: Iterable[Invocation]) -> None:
        """Count what came while the endpoint was away as if it came now; see `_objection`."""
        for invocation in waiting:
            component = self._copyless(invocation)
            if component is not None:
                component.counter.no_capacity += 1

    def _copyless(self, invocation: Awaiting) -> Variant | None:
        """Return the component that the invocation is for, where that has no copy."""
        component = (self._components or {}).get(invocation.asked.component)
        return component if component is not None and not component.instances else None

    def _give(self, invocation: Invocation) -> bool:
        """Give the invocation to a worker or refuse it; False: it has to wait."""
        asked = invocation.asked
        if asked.session and asked.session != NEW_SESSION and not asked.model:
            return self._give_session(invocation)
        variant = invocation.variant
        if variant is None or not variant.open:
            drawn = self._choose(invocation)
            if drawn is None:
                return False
            if not self._draw(invocation, drawn):
                return True
            variant = drawn
        if variant.multi_model:
            return self._give_target(invocation, variant)
        instance = variant.pick(invocation.shunned)
        if instance is None:
            return False
        instance.take(invocation)
        return True

    def _give_target(self, invocation: Invocation, variant: Variant) -> bool:
        """Give the invocation to an instance that has its target model; False: it has to wait."""
        targets = self._fleet.targets
        wanted = (self.name, variant.name, variant.generation, invocation.target)
        choice = targets.pick(wanted, variant.open, invocation)
        invocation.is_cold = choice is COLD
        if choice:
            instance, copy = choice
            targets.begin(copy, invocation)
            instance.take(invocation)
            return True
        if invocation.is_cold:
            invocation.cold_since = invocation.cold_since or monotonic()
            targets.ask(wanted)
        return False

    def _give_session(self, invocation: Invocation) -> bool:
        asked = invocation.asked
        pin = self.sessions.find(asked.session) or steady(
            asked.session, self._candidates(invocation)
        )
        if pin is None:
            return False
        if pin.instance.gone:
            self.sessions.close(asked.session)
            invocation.refuse(objections.session_gone(asked.session, self.name))
        elif pin.instance.refusing or pin.instance.in_flight >= CONNECTIONS:
            invocation.refuse(objections.session_busy(asked.session))
        elif pin.variant is invocation.variant or self._draw(invocation, pin.variant):
            pin.instance.take(invocation)
        return True

    def _draw(self, invocation: Invocation, variant: Variant) -> bool:
        """Make the invocation the variant's, or refuse it; False: that was done."""
        if variant.demanding or invocation.asked is not NOTHING or invocation.relay is not None:
            objection = variant.prepare(invocation, self.name)
            if objection is not None:
                invocation.refuse(objection)
                return False
        if invocation.variant is not None:
            invocation.variant.counter.in_flight -= 1
        invocation.variant = variant
        variant.counter.in_flight += 1
        return True

    def _candidates(self, invocation: Invocation) -> list[Variant]:
        """Return those that may be given the invocation."""
        asked = invocation.asked
        wanted = self._usable
        if self._components is not None:
            wanted = [self._components[asked.component]]
        elif asked.variant:
            wanted = [each for each in self._all() if each.name == asked.variant]
        return [each for each in wanted if each.open]

    def _choose(self, invocation: Invocation) -> Variant | None:
        usable = self._usable
        if invocation.asked is not NOTHING or self._special:
            usable = self._candidates(invocation)
        if invocation.caller is not NOBODY:
            return self._assigned(invocation.caller.key, usable)
        if self._crossing is not None:
            usable = self._crossing.side(usable)
        return usable[0] if len(usable) == 1 else drawn(usable)

    def _assigned(self, caller: str, usable: list[Variant]) -> Variant | None:
        """Return the caller's own variant; each endpoint assigns for itself."""
        caller = f"{self.name} {caller}"
        if self._crossing is not None:
            usable = self._crossing.own_side(caller, usable)
        return assigned(caller, usable)

    def _pump(self, variant: Variant) -> None:
        if variant.multi_model:
            self._dispatch_again(self._queueing.collect([variant.waiting]))
            return
        while variant.waiting and variant.open:
            instance = variant.pick()
            if instance is None:
                return
            invocation = next(iter(variant.waiting))
            self._queueing.take(invocation)
            instance.take(invocation)
            if invocation.held:
                invocation.let_go()

    def _refresh(self) -> None:
        """Dispatch anew what waits: an instance has begun or stopped to accept connections."""
        waiting = self._collect()
        self._find_usable()
        self._dispatch_again(waiting)

    def _find_usable(self) -> None:
        for variant in self._all():
            variant.open = [each for each in variant.instances if not each.refusing]
        self._usable = weighed(self._variants.values()) + weighed(self._rising.values())

    def _collect(self) -> list[Invocation]:
        queues = [queue for each in self._all() for queue in (each.waiting, each.cold)]
        return self._queueing.collect([self._queueing.unplaced, *queues])

    def _dispatch_again(self, waiting: Iterable[Invocation]) -> None:
        for invocation in waiting:
            self.place(invocation)
