"""The alarms of scaling policies: those that show what target tracking sees, and those that name one.

The decision is made by the same rules from the same points (domain/scaling/tracking.py); the
alarms are what people see of it. Those of a policy come and go with it.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from parkade.domain.alarm import OWN
from parkade.domain.errors import AlarmNotFound, Unreadable
from parkade.domain.scaling import arns, tracking
from parkade.domain.scaling.policy import alarm_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from parkade.domain.alarm import Alarm
    from parkade.domain.scaling.policy import Policy
    from parkade.ports.clock import Clock
    from parkade.ports.scaling import ScalingStore
    from parkade.services.alarms import Alarms

#: What the names of its alarms begin with.
PREFIX = "TargetTracking-"


class ScalingAlarms:
    """Makes and removes these alarms, and finds those that name a policy."""

    def __init__(
        self,
        alarms: Alarms,
        store: ScalingStore,
        clock: Clock,
        *,
        endpoint_of: Callable[[Policy], str],
        region: Callable[[], str],
        account: str,
    ) -> None:
        """Ask `endpoint_of` for the endpoint of a policy's resource; of one that is gone, its last."""
        self._alarms = alarms
        self._store = store
        self._clock = clock
        self._endpoint_of = endpoint_of
        self._region = region
        self._account = account

    def arn(self, policy: Policy) -> str:
        """Return the ARN of a policy."""
        return arns.of_policy(policy, self._region(), self._account)

    def keep(self, policy: Policy) -> None:
        """Have the alarms of a policy, and no others of its id."""
        now = self._clock.now()
        wanted = tracking.alarms(policy, self.arn(policy), self._endpoint_of(policy), now)
        self._alarms.remove(_names(policy) - {alarm.name for alarm in wanted}, OWN, own=True)
        for alarm in wanted:
            self._put(alarm, self._held(alarm.name))

    def drop(self, policies: Sequence[Policy]) -> None:
        """Have no alarms of these policies any more."""
        names = {name for policy in policies for name in _names(policy)}
        self._alarms.remove(sorted(names), OWN, own=True)

    def follow(self) -> None:
        """Have the alarms of every target tracking policy, and no others: a crash may have lost some.

        Those of policies that cannot be read stay as they are.
        """
        policies = self._store.policies.all()
        now = self._clock.now()
        wanted = {
            alarm.name: alarm
            for policy in policies.records
            for alarm in tracking.alarms(policy, self.arn(policy), self._endpoint_of(policy), now)
        }
        held = {
            alarm.name: alarm
            for alarm in self._alarms.all().records
            if alarm.own and alarm.name.startswith(PREFIX)
        }
        kept = tuple(f"{PREFIX}{key.split(':')[0]}-" for key in policies.unreadable)
        gone = [name for name in held.keys() - wanted.keys() if not name.startswith(kept)]
        if gone:
            self._alarms.remove(sorted(gone), OWN, own=True)
        for name, alarm in wanted.items():
            self._put(alarm, held.get(name))

    def of(self, policies: Sequence[Policy]) -> Mapping[str, tuple[str, ...]]:
        """Return the names of each policy's alarms, by its key: its own, or those that name it."""
        stepping = any(policy.steps is not None for policy in policies)
        named = self.naming() if stepping else {}
        return {
            policy.key: policy.alarm_names
            or tuple(sorted({each.name for each in named.get(policy.key, ())}))
            for policy in policies
        }

    def naming(self) -> Mapping[str, Sequence[Alarm]]:
        """Return the alarms whose actions name a policy, by its key."""
        found: defaultdict[str, list[Alarm]] = defaultdict(list)
        for alarm in self._alarms.all().records:
            actions = {*alarm.alarm_actions, *alarm.ok_actions, *alarm.insufficient_data_actions}
            for key in {arns.policy_key(action) for action in actions} - {""}:
                found[key].append(alarm)
        return found

    def _put(self, alarm: Alarm, former: Alarm | None) -> None:
        if former is None or not _same(former, alarm):
            self._alarms.put(alarm, OWN)

    def _held(self, name: str) -> Alarm | None:
        try:
            return self._alarms.get(name)
        except (AlarmNotFound, Unreadable):
            return None  # one that is damaged is put anew


def acting(alarm: Alarm, key: str) -> bool:
    """Tell whether an alarm is in a state whose actions name the policy of this key."""
    return alarm.actions_enabled and key in {arns.policy_key(action) for action in alarm.actions}


def _names(policy: Policy) -> set[str]:
    """Return the names that alarms of a policy can have, whatever its configuration was."""
    return {alarm_name(policy, kind) for kind in ("High", "Low")}


def _same(held: Alarm, wanted: Alarm) -> bool:
    """Tell whether an alarm is as it should be, whatever its state.

    Its actions may have been disabled, and it may be of an endpoint that has gone since.
    """
    return held == replace(
        wanted,
        standing=held.standing,
        configured_at=held.configured_at,
        version=held.version,
        tags=held.tags,
        actions_enabled=held.actions_enabled,
    )
