"""How an endpoint of a project stands, whoever made it: as the keeper of endpoints tells it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from parkade.domain.blueprint import Blueprint
from parkade.domain.deploy.order import VariantScaling
from parkade.domain.endpoint import EndpointStatus
from parkade.domain.project.endpoint import Stand
from parkade.domain.scaling.policy import CustomMetric
from parkade.domain.terms import Terms
from parkade.services.deploying.scalings import POLICY, registered

if TYPE_CHECKING:
    from parkade.domain.lease import Lease
    from parkade.domain.scaling.policy import Tracking
    from parkade.ports.provisioner import Present
    from parkade.services.deploying.desk import Desk
    from parkade.services.projects.endpointconfigs import Configs


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """An endpoint as it was seen: what the keeper decides on."""

    stand: Stand
    lease: Lease | None
    present: Present | None
    #: Whether its lease is over: it is started by the next coin alone.
    over: bool

    @property
    def former(self) -> Blueprint | None:
        """What its next config follows, where that is made without a deployment."""
        if self.present is not None and not self.over:
            return self.present.blueprint
        config = self.stand.config
        return Blueprint(config=config, models=()) if self.stand.deployed and config else None


def look(name: str, desk: Desk, configs: Configs) -> Seen | None:
    """Return how the endpoint stands; None: there is none, no lease, and none is made ready.

    Raises Unreadable.
    """
    lease = desk.lease(name)
    over = lease is not None and lease.over(desk.now())
    present = desk.provisioner.look(name)
    if lease is None and (present is None or present.observed.status is EndpointStatus.DELETING):
        return _ready(name, configs)
    # What is being stopped tells nothing of the next start any more.
    running = None if over else present
    config = None
    if running is not None:
        config = running.blueprint.config
    elif lease is not None:
        config = desk.config(lease.config_name)
    scaling, bounded = _scaling(name, desk)
    stand = Stand(
        config=config,
        deployed=True,
        owner=lease.owner if lease else None,
        scaling=scaling,
        bounded=bounded,
        tags=desk.provisioner.tags(name),
        terms=desk.terms.get(name) or Terms(endpoint_name=name),
    )
    return Seen(stand=stand, lease=lease, present=present, over=over)


def _ready(name: str, configs: Configs) -> Seen | None:
    current = configs.current(name)
    if current is None:
        return None
    config, tags = current
    stand = Stand(
        config=config,
        deployed=False,
        owner=None,
        tags=tags,
        terms=Terms(endpoint_name=name),
    )
    return Seen(stand=stand, lease=None, present=None, over=False)


def _scaling(name: str, desk: Desk) -> tuple[dict[str, VariantScaling], frozenset[str]]:
    """Return how variants are scaled by the policy of a deployment, and which are without it."""
    scaled: dict[str, VariantScaling] = {}
    bounded: set[str] = set()
    for target in registered(name, desk):
        variant = target.resource.variant_name
        policies = {each.name: each for each in desk.scaling.policies(target.resource).records}
        policy = policies.get(POLICY)
        tracking = policy.tracking if policy else None
        if tracking is None or not _writable(tracking):
            bounded.add(variant)
        else:
            scaled[variant] = VariantScaling(
                least=target.least, most=target.most, tracking=tracking
            )
    return scaled, frozenset(bounded)


def _writable(tracking: Tracking) -> bool:
    """Tell whether a payload can say it: it knows no expressions over several metrics."""
    metric = tracking.metric
    if not isinstance(metric, CustomMetric):
        return True
    return len(metric.queries) == 1 and metric.queries[0].measured is not None
