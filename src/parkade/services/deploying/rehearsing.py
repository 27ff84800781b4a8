"""What an order would do, step by step, with its price and what is wrong: nothing is changed."""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from parkade.domain import price
from parkade.domain.deploy import naming
from parkade.domain.deploy.rehearsal import Planned, Prices, Problem, Rehearsal
from parkade.domain.deploy.steps import StepKind
from parkade.domain.endpoint import EndpointStatus
from parkade.domain.errors import ParkadeError, Unavailable
from parkade.domain.price import CURRENCY, EMPTY, Machine, Sum
from parkade.domain.spans import duration
from parkade.services.deploying import scalings, tidying
from parkade.services.deploying.configs import models_of, same_fleet, wanted
from parkade.services.deploying.looking import require_leave

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import timedelta

    from parkade.domain.blueprint import Blueprint
    from parkade.domain.budget import Budget
    from parkade.domain.catalog import EndpointConfig
    from parkade.domain.deploy.order import Order
    from parkade.domain.lease import Lease
    from parkade.ports.provisioner import Present
    from parkade.services.budgets import Budgets
    from parkade.services.deploying.desk import Desk
    from parkade.services.prices import Prices as Tariff


logger = logging.getLogger(__name__)

#: The key of what is bought in a rehearsal: nobody can have used it, for no key has a blank.
_REHEARSED = "a rehearsal"


@dataclass(slots=True, kw_only=True)
class _Scene:
    """What an order finds, as far as it can be seen."""

    order: Order
    owner: str
    lease: Lease | None
    present: Present | None
    #: None: it cannot be said, and a problem tells why.
    config: EndpointConfig | None = None
    problems: list[Problem] = field(default_factory=list)

    @property
    def former(self) -> Blueprint | None:
        """What serves, and would be updated."""
        failed = self.present and self.present.observed.status is EndpointStatus.FAILED
        return None if self.present is None or failed else self.present.blueprint

    def trying(self, ask: Callable[[], object]) -> None:
        """Note what an ask raises as a problem."""
        try:
            ask()
        except ParkadeError as error:
            self.problems.append(Problem(message=error.message, hint=error.hint))


class Rehearsing:
    """Tells what orders would do."""

    def __init__(
        self,
        desk: Desk,
        *,
        prices: Tariff,
        budgets: Budgets,
        usual: Callable[[], timedelta],
    ) -> None:
        """Take what it asks; `usual` is how much time a lease gets that names none."""
        self._desk = desk
        self._prices = prices
        self._budgets = budgets
        self._usual = usual

    def rehearse(self, order: Order, actor: str) -> Rehearsal:
        """Return what the order would do. Raises Unavailable where nothing can be seen."""
        desk = self._desk
        lease = desk.lease(order.endpoint_name)
        scene = _Scene(
            order=order,
            owner=order.owner or (lease.owner if lease else actor),
            lease=lease,
            present=desk.provisioner.look(order.endpoint_name),
        )
        self._examine(scene)
        prices = self._of(scene)
        paid = self._paid(scene)
        scene.trying(lambda: self._require_paid(scene, actor))
        return Rehearsal(
            order=order,
            config_name=scene.config.name if scene.config else "",
            creates=scene.former is None,
            planned=tuple(Planned(kind=kind, text=text) for kind, text in self._steps(scene)),
            prices=prices,
            quote=self._quote(scene, paid, prices.after) if paid else "",
            problems=tuple(scene.problems),
        )

    def require_paid(self, order: Order, actor: str) -> None:
        """Raise InvalidInput or BudgetExceeded where the time that is to be bought cannot be.

        What cannot be told yet, of the order or its price, is found by the steps.
        """
        desk = self._desk
        try:
            lease = desk.lease(order.endpoint_name)
            scene = _Scene(
                order=order,
                owner=order.owner or (lease.owner if lease else actor),
                lease=lease,
                present=desk.provisioner.look(order.endpoint_name),
            )
            scene.config = wanted(order, scene.former, desk)
        except ParkadeError as error:
            logger.info("what %s is to pay is seen later: %s", order.endpoint_name, error.message)
            return
        with suppress(Unavailable):
            self._require_paid(scene, actor)

    def require_payable(self, order: Order, config: EndpointConfig, budget: Budget | None) -> None:
        """Raise InvalidInput or BudgetExceeded where the lease of a new endpoint cannot be bought.

        `budget` is what its owner is given before; None: what the owner has. For who knows what it is to be before there is anything of it. Nothing is said where the
        order names no owner, or nothing can be seen.
        """
        if order.metered and order.owner:
            with suppress(Unavailable):
                self._rehearse_lease(order, config, order.owner, order.owner, budget)

    def _require_paid(self, scene: _Scene, actor: str) -> None:
        if scene.config is not None and scene.order.metered:
            self._rehearse_lease(scene.order, scene.config, scene.owner, actor)

    def _rehearse_lease(
        self,
        order: Order,
        config: EndpointConfig,
        owner: str,
        actor: str,
        budget: Budget | None = None,
    ) -> None:
        """Have the meter decide, as it will once the endpoint config is made."""
        admit = self._budgets.rehearsal(config.name, tuple(_machines(config)), budget).admit
        self._desk.meter.rehearsal(made=config.name, admit=admit).let(
            order.endpoint_name,
            config.name,
            amount=order.amount,
            owner=owner,
            actor=actor,
            key=_REHEARSED,
            revives=order.revives,
        )

    def _examine(self, scene: _Scene) -> None:
        desk, order = self._desk, scene.order
        scene.trying(lambda: require_leave(order, scene.lease, leases_only=desk.leases_only()))
        for each in desk.deployments.running().records:
            if each.endpoint_name == order.endpoint_name:
                scene.problems.append(
                    Problem(
                        message=f"deployment {each.id} of it is running",
                        hint=f"wait until it is over, or: parkade deployments cancel {each.id}",
                    )
                )

        def choose() -> None:
            scene.config = wanted(order, scene.former, desk)

        scene.trying(choose)
        config = scene.config
        if config is not None:
            scene.trying(
                lambda: desk.provisioner.rehearse(order.endpoint_name, config, order.strategy)
            )

    def _steps(self, scene: _Scene) -> Iterator[tuple[StepKind, str]]:
        order, former, config = scene.order, scene.former, scene.config
        name = config.name if config else "a config"
        yield StepKind.LOOK, self._looked(scene)
        same = self._same(scene)
        if same and former is not None:
            name = former.config.name
            yield StepKind.CONFIG, f"none is made: it runs what is wanted, from {name}"
        else:
            yield StepKind.CONFIG, f"{name} is made: {_instances(config)}"
        scaled = [
            target.resource.variant_name
            for target in scalings.registered(order.endpoint_name, self._desk)
        ]
        if scaled:
            yield StepKind.SCALING_OFF, f"scaling is suspended for {', '.join(scaled)}"
        yield StepKind.BRING_UP, self._brought_up(scene, name, same=same)
        yield StepKind.WAIT, f"until it is in service, for at most {duration(order.max_wait)}"
        yield StepKind.CHECK, f"that it is {name} that serves"
        if order.scaling or scaled:
            yield StepKind.SCALING_ON, _scaling(order) or "as before"
        settled = [f"tags: {', '.join(f'{k}={v}' for k, v in sorted(order.all_tags.items()))}"]
        settled += [each.words() for each in (order.sleep, order.wake) if each is not None]
        yield StepKind.SETTLE, "; ".join(settled)
        yield (
            StepKind.TIDY,
            f"of the endpoint configs that deployments made, {tidying.KEPT} stay, and those in use",
        )
        yield StepKind.NOTIFY, f"{scene.owner} is told how it ended"

    def _looked(self, scene: _Scene) -> str:
        present = scene.present
        if present is None:
            return "there is no endpoint of this name"
        observed = present.observed
        asleep = "; it sleeps, and is woken first" if observed.asleep else ""
        return f"it is {observed.status} and runs {observed.config_name}{asleep}"

    def _same(self, scene: _Scene) -> bool:
        if scene.former is None or scene.config is None:
            return False
        return naming.runs(scene.former, scene.config, models_of(scene.config.every, self._desk))

    def _reweighs(self, scene: _Scene) -> bool:
        if scene.former is None or scene.config is None:
            return False
        return same_fleet(scene.former, scene.config, self._desk)

    def _brought_up(self, scene: _Scene, name: str, *, same: bool) -> str:
        paid = self._paid(scene)
        bought = f"{duration(paid)} bought for {scene.owner}" if paid else ""
        if scene.former is None:
            if not scene.order.metered:
                return f"it is created from {name}, without a lease"
            return f"{bought or 'its lease goes on'}, and the meter creates it from {name}"
        if same:
            return "; ".join(filter(None, ("it is not updated: it runs that already", bought)))
        if self._reweighs(scene):
            text = (
                f"its weights and counts are changed to those of {name}, on the fleet that serves"
            )
            return "; ".join(filter(None, (text, bought)))
        how = scene.order.strategy
        stages = "" if how.plain else f" ({how.kind})"
        text = f"it is updated from {scene.former.config.name} to {name}{stages}"
        return "; ".join(filter(None, (text, bought)))

    def _paid(self, scene: _Scene) -> timedelta | None:
        """Return the time that would be bought; None: none."""
        order, lease = scene.order, scene.lease
        if not order.metered:
            return None
        if order.amount is not None:
            return order.amount
        runs = lease is not None and not lease.over(self._desk.now())
        return None if runs else self._usual()

    def _of(self, scene: _Scene) -> Prices:
        before = self._hourly(scene.former.config) if scene.former else EMPTY
        after = self._hourly(scene.config) if scene.config else EMPTY
        if scene.former is None or self._same(scene) or self._reweighs(scene):
            return Prices(before=before, meanwhile=after, after=after)
        return Prices(before=before, meanwhile=before.plus(after), after=after)

    def _hourly(self, config: EndpointConfig) -> Sum:
        return self._prices.hourly(_machines(config))

    def _quote(self, scene: _Scene, paid: timedelta, hourly: Sum) -> str:
        """Return what the time costs, and what is left of the budget, which the meter asks itself."""
        cost = Sum(usd=price.cost(hourly.usd, paid), unpriced=hourly.unpriced)
        text = f"{duration(paid)} of {_instances(scene.config)}: {cost}"
        budget = self._budgets.get(scene.owner)
        if budget is None:
            return text
        standing = self._budgets.standing(budget)
        left = standing.left - price.rounded(cost.usd)
        when = budget.noun(standing.period, self._desk.now())
        if left < 0:
            return f"{text}, {price.dollars(-left)} {CURRENCY} more than is left {when}"
        return f"{text}, {price.dollars(left)} {CURRENCY} left {when}"


def _machines(config: EndpointConfig) -> Iterator[Machine]:
    """Return what an endpoint would run on with this config."""
    return (
        Machine(
            variant_name=each.name,
            instance_type=each.instance_type,
            count=each.instance_count,
            serverless=each.serverless is not None,
        )
        for each in config.every
    )


def _instances(config: EndpointConfig | None) -> str:
    variants = config.every if config else ()
    return ", ".join(
        f"{each.name} serverless"
        if each.serverless
        else f"{each.name} {each.instance_count} x {each.instance_type}"
        for each in variants
    )


def _scaling(order: Order) -> str:
    return ", ".join(
        f"{name} is not scaled any more"
        if each is None
        else f"{name} {each.least} to {each.most} at {each.tracking.target:g}"
        for name, each in order.scaling.items()
    )
