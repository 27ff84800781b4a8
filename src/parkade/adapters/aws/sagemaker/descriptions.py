"""What DescribeEndpoint tells, as sights."""

from __future__ import annotations

import logging
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from parkade.adapters.aws.sagemaker.forms import deployments
from parkade.adapters.aws.sagemaker.sight import Part, Sight
from parkade.domain.endpoint import EndpointStatus
from parkade.domain.errors import InvalidInput
from parkade.domain.stages import Rollout, Stage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from parkade.domain.blueprint import Blueprint
    from parkade.domain.catalog import Variant

logger = logging.getLogger(__name__)

_STATUSES = frozenset(map(str, EndpointStatus))
#: Where variants are told, and whether those are shadows.
_MEMBERS = (("ProductionVariants", False), ("ShadowProductionVariants", True))
#: What an update in stages does while the variants that it brings up have these statuses.
_STAGES = {
    "Creating": Stage.RISING,
    "ActivatingTraffic": Stage.SHIFTING,
    "Baking": Stage.BAKING,
    "Deleting": Stage.ROLLING_BACK,
}


def sight(
    given: Mapping[str, Any],
    variants: Mapping[str, Variant] | None,
    former: Sight | None,
    now: datetime,
) -> Sight:
    """Return what DescribeEndpoint tells `now`; `variants` are those of its config, if it is there.

    None: they cannot be told just now, so that it has to be described again. `former` is how it was
    seen before: of an endpoint of the same creation it says what SageMaker does not, since when it
    is in service, how often it was updated, and on which machines it was before its config went.
    """
    if not is_of(former, given):
        former = None
    status, changed_at = status_of(given), given["LastModifiedTime"]
    config_name = given.get("EndpointConfigName", "")
    whole, variants = variants is not None, variants or {}
    known = {} if former is None else _parts_of(former, config_name)
    parts = tuple(
        _part(each, variants.get(each["VariantName"]), known, shadow=shadow)
        for member, shadow in _MEMBERS
        for each in given.get(member, ())
    )
    pending = given.get("PendingDeploymentSummary") or {}
    rising = tuple(
        _part(each, None, {}, shadow=shadow)
        for member, shadow in _MEMBERS
        for each in pending.get(member, ())
    )
    seen = Sight(
        name=given["EndpointName"],
        status=status,
        created_at=given["CreationTime"],
        changed_at=changed_at,
        whole=whole,
        config_name=config_name,
        parts=parts or tuple(map(_planned, variants.values())) or tuple(known.values()),
        target_config_name=pending.get("EndpointConfigName", ""),
        rising=rising,
        failure_reason=given.get("FailureReason", ""),
        known_since=_known_since(status, given, former, now),
        awake_since=_awake_since(status, given, former),
        asynchronous=bool(given.get("AsyncInferenceConfig")),
    )
    if former is not None:
        updated = former.config_name not in {"", seen.config_name}
        seen = replace(seen, generation=former.generation + updated)
    return replace(seen, rollout=_rollout(seen, given, pending)) if pending else seen


def status_of(told: Mapping[str, Any]) -> EndpointStatus:
    """Return the status of a description or a summary.

    One that is not known here counts as on its way to another: nothing is started or stopped then,
    and no other endpoint waits for somebody to look into it.
    """
    given = told["EndpointStatus"]
    if given in _STATUSES:
        return EndpointStatus(given)
    logger.error(
        "%s has a status that is not known here, and is left alone: %s; this may need a newer Parkade",
        told["EndpointName"],
        given,
    )
    return EndpointStatus.SYSTEM_UPDATING


def is_of(former: Sight | None, told: Mapping[str, Any]) -> bool:
    """Tell whether a sight is of the very endpoint that a description or a summary is of."""
    return former is not None and (former.begun or former.created_at == told["CreationTime"])


def running(blueprint: Blueprint, seen: Sight) -> Blueprint:
    """Return what an endpoint runs at the counts and weights that it is to have now."""
    counted = [each for each in seen.parts if not each.serverless]
    return blueprint.changed(
        {each.name: each.desired for each in counted},
        {each.name: each.weight for each in seen.parts},
    )


def _parts_of(former: Sight, config_name: str) -> Mapping[str, Part]:
    """Return the parts that were seen of a config, by name."""
    fleets = ((former.config_name, former.parts), (former.target_config_name, former.rising))
    return {each.name: each for name, parts in fleets if name == config_name for each in parts}


def _part(
    given: Mapping[str, Any],
    variant: Variant | None,
    known: Mapping[str, Part],
    *,
    shadow: bool,
) -> Part:
    name = given["VariantName"]
    before = known.get(name, Part(name=name))
    planned = variant.instance_type if variant else before.instance_type
    return Part(
        name=name,
        instance_type=given.get("InstanceType") or planned,
        current=given.get("CurrentInstanceCount", 0),
        desired=given.get("DesiredInstanceCount", 0),
        weight=given.get("DesiredWeight", 1.0),
        serverless="CurrentServerlessConfig" in given or "DesiredServerlessConfig" in given,
        hosts=before.hosts if variant is None else not variant.model_name,
        shadow=shadow,
    )


def _planned(variant: Variant) -> Part:
    """Return what there is to be of a variant that is not told of yet."""
    return Part(
        name=variant.name,
        instance_type=variant.instance_type,
        desired=0 if variant.serverless else variant.instance_count,
        weight=variant.weight,
        serverless=variant.serverless is not None,
        hosts=not variant.model_name,
    )


def _known_since(
    status: EndpointStatus, given: Mapping[str, Any], former: Sight | None, now: datetime
) -> datetime:
    if former is not None and former.known_since is not None:
        return former.known_since
    created_at: datetime = given["CreationTime"]
    came = former is not None and former.status is EndpointStatus.CREATING
    return created_at if came or status is EndpointStatus.CREATING else max(created_at, now)


def _awake_since(
    status: EndpointStatus, given: Mapping[str, Any], former: Sight | None
) -> datetime | None:
    if former is not None and former.awake_since is not None:
        return former.awake_since
    if status in {EndpointStatus.CREATING, EndpointStatus.FAILED}:
        return None
    # Whoever saw it being created knows when it came; of others only the creation is known.
    came = former is not None and former.status is EndpointStatus.CREATING
    at: datetime = given["LastModifiedTime"] if came else given["CreationTime"]
    return at


def _rollout(seen: Sight, given: Mapping[str, Any], pending: Mapping[str, Any]) -> Rollout | None:
    """Return how far an update in stages has come; None: it is none, or goes all at once."""
    try:
        strategy = deployments.read(given.get("LastDeploymentConfig"))
        if strategy is None or strategy.plain:
            return None
        rollout = Rollout.begun(
            strategy, _began(seen, pending), _counts(seen.rising), _counts(seen.parts)
        )
    except (InvalidInput, ValueError, KeyError) as error:
        # A form that is not known here: the update goes on all the same, and only its steps are
        # not told.
        logger.warning("the stages of the update of %s are not understood: %r", seen.name, error)
        return None
    taken = _taken(rollout, pending.get("ProductionVariants", ()))
    statuses = [
        each
        for variant in pending.get("ProductionVariants", ())
        for each in variant.get("VariantStatus", ())
    ]
    stage = _STAGES.get(statuses[0]["Status"], Stage.RISING) if statuses else Stage.RISING
    if stage is not Stage.RISING:
        taken = max(1, taken)
    elif taken == len(rollout.steps):
        stage = Stage.BAKING
    since = statuses[0].get("StartTime") if statuses else None
    return replace(
        rollout,
        stage=stage,
        taken=taken,
        since=since or rollout.began_at,
        reason=statuses[0].get("StatusMessage", "") if stage is Stage.ROLLING_BACK else "",
    )


def _began(seen: Sight, pending: Mapping[str, Any]) -> datetime:
    return pending.get("StartTime") or seen.changed_at


def _counts(parts: Sequence[Part]) -> list[int]:
    return [each.desired or 1 for each in parts] or [1]


def _taken(rollout: Rollout, rising: Sequence[Mapping[str, Any]]) -> int:
    """Return how many steps requests have taken, by the weight that the new fleet has of them."""
    share = max(
        (
            Fraction(each.get("CurrentWeight", 0.0)) / Fraction(each["DesiredWeight"])
            for each in rising
            if each.get("DesiredWeight")
        ),
        default=Fraction(0),
    )
    # Weights are floats: a step counts as taken where the share is nearer to it than to the last.
    half = Fraction(1, 2 * rollout.parts)
    return sum(Fraction(step, rollout.parts) <= share + half for step in rollout.steps)
