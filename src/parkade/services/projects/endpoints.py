"""Keeps the endpoints of projects.

What runs gets another config by a deployment, which the errand's id begins once; scaling, tags and
what is settled about the lease are changed without one. An endpoint whose lease is over is made ready for its next coin, and never started here; so is
one that is not to be brought up. Time is bought by creating an endpoint, and at no other moment.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from parkade.domain.blueprint import Blueprint
from parkade.domain.deploy import naming
from parkade.domain.deploy.deployment import Status
from parkade.domain.errors import Conflict, DeploymentNotFound
from parkade.domain.price import Machine, Sum, total
from parkade.domain.project import endpoint as endpoints
from parkade.domain.project import model
from parkade.domain.project import terms as settling
from parkade.domain.project.part import Kind
from parkade.domain.project.project import PROJECT_TAG
from parkade.services.deploying.looking import require_leave
from parkade.services.keys import identifier
from parkade.services.projects import endpointgoing, endpointscaling
from parkade.services.projects.budgets import budget_of
from parkade.services.projects.endpointlook import look
from parkade.services.projects.keeper import Condition, Progress, Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from parkade.domain.budget import Budget
    from parkade.domain.catalog import EndpointConfig
    from parkade.domain.deploy.deployment import Deployment
    from parkade.domain.event import Json
    from parkade.domain.project.endpoint import Wanted
    from parkade.domain.project.part import Part
    from parkade.domain.project.project import Project
    from parkade.domain.watching import Opting
    from parkade.services.deployer import Deployer
    from parkade.services.deploying.desk import Desk
    from parkade.services.prices import Prices
    from parkade.services.projects.endpointconditions import Conditions
    from parkade.services.projects.endpointconfigs import Configs
    from parkade.services.projects.endpointlook import Seen
    from parkade.services.projects.keeper import Errand


class EndpointKeeper:
    """The keeper of endpoints."""

    kind = Kind.ENDPOINT

    def __init__(
        self,
        desk: Desk,
        deployer: Deployer,
        configs: Configs,
        conditions: Conditions,
        *,
        prices: Prices,
        opting: Callable[[], Opting],
        applied: Callable[[str], Project | None],
    ) -> None:
        """Take what it works with.

        `opting` gives the settings of the server's maintainer, `applied` what was wholly made last
        of the project with this prefix.
        """
        self._desk = desk
        self._deployer = deployer
        self._configs = configs
        self._conditions = conditions
        self._prices = prices
        self._opting = opting
        self._applied = applied

    def check(self, part: Part, project: Project) -> None:
        """Raise InvalidInput for content that can never be, and Conflict for what is in its way.

        BudgetExceeded where the time that creating it buys would be refused.
        """
        wanted, seen = self._read(part), self._look(part.name)
        stand = seen.stand if seen else None
        content = naming.wanted_content(wanted.order, endpoints.former(stand))
        self._require_together(wanted, content, project)
        if wanted.deploy and (stand is None or not stand.deployed):
            budget = _budget(wanted.order.owner, project)
            self._deployer.require_payable(wanted.order, content, budget)
        settling.require_watchable(wanted.terms, self._opting())
        endpoints.settled(wanted, stand, self._opting().rules)
        lease = seen.lease if seen else None
        require_leave(wanted.order, lease, leases_only=self._desk.leases_only())

    def _require_together(self, wanted: Wanted, content: EndpointConfig, project: Project) -> None:
        """Raise InvalidInput where bounds, or the project's models, do not go with the rest of it."""
        naming.require_bounds(wanted.order, content)
        named = {variant.model_name for variant in content.every}
        parts = [part for part in project.parts if part.kind is Kind.MODEL and part.name in named]
        now = self._desk.now()
        Blueprint(config=content, models=tuple(model.read(part, now) for part in parts))

    def found(self, name: str) -> Mapping[str, Json] | None:
        """Return what runs, or would at the next start, with all that is settled about it."""
        seen = self._look(name)
        return None if seen is None else endpoints.told(seen.stand)

    def settled(
        self,
        part: Part,
        found: Mapping[str, Json] | None,  # noqa: ARG002  it is looked at anew, in full
    ) -> Mapping[str, Json]:
        """Return what is told once it is made.

        Counts of variants that run, the time of its lease, and what the content does not speak of
        go on as they are.
        """
        seen = self._look(part.name)
        stand = seen.stand if seen else None
        return endpoints.settled(self._read(part), stand, self._opting().rules)

    def hourly(self, content: Mapping[str, Json], project: Project) -> Sum:
        """Return what its instances cost an hour, by the project's own prices first."""
        return total(self._price(each, project) for each in endpoints.machines(content))

    def _price(self, machine: Machine, project: Project) -> Sum:
        own = None if machine.serverless else project.prices.get(machine.instance_type)
        if own is not None:
            return Sum(usd=own * machine.count)
        return self._prices.hourly([machine])

    def instances(self, content: Mapping[str, Json]) -> int:
        """Return how many instances it has at most."""
        return endpoints.most_instances(content)

    def stays(self, content: Mapping[str, Json]) -> Sequence[str]:
        """Return what it has written down, and its answers."""
        return endpoints.left_behind(content)

    def put(self, part: Part, errand: Errand) -> None:
        """Begin to make it what is wanted, in the least way that does.

        Raises what `Deployer.begin` raises, and ModelNotFound.
        """
        if self._deployment(errand) is not None:
            return  # it was begun before control went
        wanted, seen = self._wanted(part, errand), self._look(part.name)
        if seen is None or not seen.stand.deployed:
            if wanted.deploy:
                self._deployer.begin(wanted.order, errand.actor, key=errand.id)
            else:
                self._make_ready(wanted, errand)
            return
        if seen.over:
            self._put_over(wanted, seen, errand)
            return
        if not self._needs_deployment(wanted, seen):
            self._put_beside(wanted, errand)
            return
        # A lease that is there is not given any time.
        leased = seen.lease is not None
        order = replace(wanted.order, amount=None, revives=False) if leased else wanted.order
        try:
            self._deployer.begin(order, errand.actor, key=errand.id)
        except Conflict:
            again = self._look(part.name)
            if again is None or not again.over:
                raise
            self._put_over(wanted, again, errand)  # it ran out just now

    def progress(self, part: Part, errand: Errand) -> Progress:
        """Tell how far it has come; what can be settled about it once it is leased alone, is."""
        deployment = self._deployment(errand)
        if deployment is None:
            return Progress(stage=Stage.DONE, text=self._made(part))
        if not deployment.over:
            return Progress(stage=Stage.UNDER_WAY, text=_doing(deployment))
        seen, wanted = self._look(part.name), self._wanted(part, errand)
        if deployment.status is Status.SUCCEEDED:
            self._tag(wanted, errand)
            self._settle(wanted, errand)
            self._configs.forget_former(part.name, deployment.config_name, errand)
            return Progress(stage=Stage.DONE, text=f"{deployment.config_name} serves")
        ran_out = deployment.status is Status.FAILED and not deployment.order.revives
        if ran_out and seen is not None and seen.over:
            # Nobody may buy time for it: what was to serve now does so from the next coin on.
            self._put_over(wanted, seen, errand)
            return Progress(stage=Stage.DONE, text=self._made(part))
        return Progress(stage=Stage.FAILED, text=f"deployment {deployment.id}: {deployment.reason}")

    def call_off(self, part: Part, errand: Errand) -> None:  # noqa: ARG002  the protocol's
        """Call off its deployment, which undoes what it has begun."""
        deployment = self._deployment(errand)
        if deployment is not None and not deployment.over:
            with suppress(Conflict):  # it is at its end
                self._deployer.cancel(deployment.id, errand.actor)

    def remove(self, name: str, errand: Errand) -> None:
        """Remove the endpoint with its lease, whoever started it, and all that was made for it.

        Raises EndpointBusy until it is gone.
        """
        endpointgoing.remove(
            name, errand, desk=self._desk, deployer=self._deployer, configs=self._configs
        )

    def condition(self, part: Part) -> Condition:
        """Tell how it stands, with the reason."""
        return self._conditions.of(part.name, self._look(part.name))

    def _look(self, name: str) -> Seen | None:
        return look(name, self._desk, self._configs)

    def _wanted(self, part: Part, errand: Errand) -> Wanted:
        wanted = self._read(part)
        tags = {**wanted.order.tags, PROJECT_TAG: errand.project}
        return replace(wanted, order=replace(wanted.order, tags=tags))

    def _read(self, part: Part) -> Wanted:
        """Return what a part wants, in the light of what was applied before it."""
        tags = part.content.get("tags")
        prefix = tags.get(PROJECT_TAG) if isinstance(tags, Mapping) else None
        applied = self._applied(prefix) if isinstance(prefix, str) else None
        former = (
            next((each for each in applied.parts if each.ref == part.ref), None)
            if applied
            else None
        )
        return endpoints.read(part, former.content if former else None)

    def _deployment(self, errand: Errand) -> Deployment | None:
        """Return the deployment that the errand has begun."""
        try:
            return self._deployer.get(identifier(errand.actor, errand.id))
        except DeploymentNotFound:
            return None

    def _needs_deployment(self, wanted: Wanted, seen: Seen) -> bool:
        """Tell whether anything differs that only a deployment changes."""
        leases = wanted.order.metered and seen.lease is None
        return leases or not endpoints.same_config(wanted, seen.stand.config)

    def _put_beside(self, wanted: Wanted, errand: Errand) -> None:
        """Change what is beside its fleet: scaling, tags, and what is settled."""
        endpointscaling.change(wanted.order, self._desk, errand.actor)
        self._tag(wanted, errand)
        self._settle(wanted, errand)

    def _put_over(self, wanted: Wanted, seen: Seen, errand: Errand) -> None:
        """Have the next coin start what is wanted, and start nothing now."""
        name = wanted.order.endpoint_name
        if not endpoints.same_config(wanted, seen.stand.config):
            config = self._configs.make(wanted, seen.former, errand)
            self._desk.meter.reconfigure(name, config.name, actor=errand.actor)
            self._configs.forget_former(name, config.name, errand)
        self._put_beside(wanted, errand)

    def _make_ready(self, wanted: Wanted, errand: Errand) -> None:
        """Make its config, which the meter can start it from."""
        name = wanted.order.endpoint_name
        config = self._configs.make(wanted, None, errand)
        self._configs.make_current(name, config.name)
        self._configs.forget_former(name, config.name, errand)

    def _tag(self, wanted: Wanted, errand: Errand) -> None:
        name = wanted.order.endpoint_name
        held = self._desk.provisioner.tags(name)
        tags = endpoints.tags_of(wanted, held)
        if tags != held:
            self._desk.provisioner.tag(name, tags, errand.actor)

    def _settle(self, wanted: Wanted, errand: Errand) -> None:
        if not wanted.order.metered:
            return
        rules = self._opting().rules
        self._desk.terms.change(
            wanted.order.endpoint_name,
            errand.actor,
            lambda held: settling.settle(held, wanted.terms, rules),
        )

    def _made(self, part: Part) -> str:
        """Say what became of one that needed no deployment."""
        seen = self._look(part.name)
        if seen is None or seen.stand.config is None:
            return ""
        config_name = seen.stand.config.name
        if not seen.stand.deployed:
            return f"it is not brought up: parkade add {part.name} --config {config_name}"
        if seen.over:
            return f"its lease is over; the next coin starts it from {config_name}"
        return ""


def _budget(owner: str | None, project: Project) -> Budget | None:
    """Return the budget that the project gives an owner, which is set before its endpoints are."""
    parts = (each for each in project.parts if each.kind is Kind.BUDGET and each.name == owner)
    return next(map(budget_of, parts), None)


def _doing(deployment: Deployment) -> str:
    step = deployment.step
    if step is None:
        return f"deployment {deployment.id}"
    return f"{step.kind}: {step.text}" if step.text else str(step.kind)
