"""DeploymentConfig: how an update goes over to its new fleet."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from parkade.adapters.aws.sagemaker.forms.members import present
from parkade.domain.rollout import FIELDS, ROLLBACK_FIELD, Kind, Size, Strategy

if TYPE_CHECKING:
    from collections.abc import Mapping

_INSTANCES, _PERCENT = "INSTANCE_COUNT", "CAPACITY_PERCENT"


def read(given: Mapping[str, Any] | None) -> Strategy | None:
    """Return the strategy; None where none is given. Raises InvalidInput for what has no such form."""
    if not given:
        return None
    blue_green = given.get("BlueGreenUpdatePolicy")
    rolling = given.get("RollingUpdatePolicy")
    told = given.get("AutoRollbackConfiguration", {}).get("Alarms", ())
    alarms = tuple(each["AlarmName"] for each in told)
    if rolling:
        return Strategy(
            kind=Kind.ROLLING,
            step=_size(rolling["MaximumBatchSize"]),
            wait=_span(rolling["WaitIntervalInSeconds"]),
            limit=_limit(rolling),
            rollback_step=_rollback_step(rolling),
            alarms=alarms,
        )
    return _blue_green(blue_green, alarms) if blue_green else Strategy(alarms=alarms)


def _blue_green(given: Mapping[str, Any], alarms: tuple[str, ...]) -> Strategy:
    routing = given["TrafficRoutingConfiguration"]
    kind = Kind(routing["Type"])
    step = None if kind is Kind.ALL_AT_ONCE else routing.get(FIELDS[kind])
    return Strategy(
        kind=kind,
        step=None if step is None else _size(step),
        wait=_span(routing["WaitIntervalInSeconds"]),
        termination_wait=_span(given.get("TerminationWaitInSeconds", 0)),
        limit=_limit(given),
        alarms=alarms,
    )


def _rollback_step(given: Mapping[str, Any]) -> Size | None:
    step = given.get(ROLLBACK_FIELD)
    return None if step is None else _size(step)


def _size(given: Mapping[str, Any]) -> Size:
    if given["Type"] == _INSTANCES:
        return Size(instances=given["Value"])
    return Size(percent=given["Value"])


def _limit(given: Mapping[str, Any]) -> timedelta | None:
    limit = given.get("MaximumExecutionTimeoutInSeconds")
    return None if limit is None else _span(limit)


def _span(seconds: int) -> timedelta:
    return timedelta(seconds=seconds)


def described(strategy: Strategy | None) -> dict[str, Any] | None:
    """Describe a strategy as a DeploymentConfig."""
    if strategy is None:
        return None
    policy = _rolling_policy if strategy.kind is Kind.ROLLING else _blue_green_policy
    alarms = [{"AlarmName": name} for name in strategy.alarms]
    return {**policy(strategy), **present(AutoRollbackConfiguration=alarms and {"Alarms": alarms})}


def _rolling_policy(strategy: Strategy) -> dict[str, Any]:
    return {
        "RollingUpdatePolicy": present(
            MaximumBatchSize=_described_size(strategy.step),
            WaitIntervalInSeconds=_seconds(strategy.wait),
            MaximumExecutionTimeoutInSeconds=_seconds(strategy.limit),
            RollbackMaximumBatchSize=_described_size(strategy.rollback_step),
        )
    }


def _blue_green_policy(strategy: Strategy) -> dict[str, Any]:
    routing: dict[str, Any] = {
        "Type": str(strategy.kind),
        "WaitIntervalInSeconds": _seconds(strategy.wait),
    }
    if strategy.step is not None:
        routing[FIELDS[strategy.kind]] = _described_size(strategy.step)
    return {
        "BlueGreenUpdatePolicy": present(
            TrafficRoutingConfiguration=routing,
            TerminationWaitInSeconds=_seconds(strategy.termination_wait),
            MaximumExecutionTimeoutInSeconds=_seconds(strategy.limit),
        )
    }


def _described_size(size: Size | None) -> dict[str, Any] | None:
    if size is None:
        return None
    if size.instances is not None:
        return {"Type": _INSTANCES, "Value": size.instances}
    return {"Type": _PERCENT, "Value": size.percent}


def _seconds(span: timedelta | None) -> int | None:
    return None if span is None else int(span.total_seconds())
