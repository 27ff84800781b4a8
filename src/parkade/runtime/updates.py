"""What can be ordered of endpoints that are to run something else: updates, and how they go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.domain.alarm import State
from parkade.domain.errors import Conflict, Unreadable
from parkade.runtime import groups, staging
from parkade.runtime.orders import Orders
from parkade.runtime.stranded import Stranded

if TYPE_CHECKING:
    from parkade.domain.blueprint import Blueprint, Retained
    from parkade.domain.catalog import EndpointConfig
    from parkade.domain.rollout import Strategy
    from parkade.domain.stages import Rollout
    from parkade.runtime.endpoints import Endpoint


class Updates(Orders):
    """Takes orders about updates, beside those about what there is."""

    def update_endpoint(
        self,
        name: str,
        config_name: str,
        actor: str,
        *,
        retained: frozenset[Retained] = frozenset(),
        strategy: Strategy | None = None,
    ) -> None:
        """Begin to bring up the endpoint anew from a config, beside what serves until then.

        With a strategy that is not plain it goes in stages, and back where that says so. Raises
        EndpointNotFound, Unreadable, EndpointBusy unless it is InService, Conflict where it is
        Failed, its inference components have no place in the config or an alarm is not well,
        ConfigNotFound, ModelNotFound, AlarmNotFound, ResourceLimitExceeded, and InvalidInput for
        an image without a container, or a strategy that does not go with what is run.
        """
        config = self._store.config(config_name)
        endpoint, target, rollout = self._planned(name, config, retained, strategy)
        endpoint.update(target, actor, strategy=strategy, rollout=rollout)

    def reweigh_to(
        self,
        name: str,
        config_name: str,
        actor: str,
        *,
        retained: frozenset[Retained] = frozenset(),
    ) -> None:
        """Begin to give the endpoint the weights and counts of a config, on the fleet that serves.

        The config is what it runs from then on. Raises what `update_endpoint` raises, and Conflict
        where the config differs from what runs in anything else.
        """
        endpoint = self._idle(name, "changed")
        target = self._reweighed(endpoint, self._store.config(config_name), retained)
        if target is None:
            raise Conflict(
                f"endpoint config {config_name!r} differs from what endpoint {name!r} runs in more "
                "than weights and counts",
                hint="update the endpoint to it",
            )
        endpoint.reweigh(target, actor)

    def _reweighed(
        self, endpoint: Endpoint, config: EndpointConfig, retained: frozenset[Retained]
    ) -> Blueprint | None:
        """Return what the fleet that serves is to run; None: it cannot. Raises as `reweigh_to`."""
        present = endpoint.recorded.blueprint
        target = self._blueprint(config).retaining(present, retained)
        if not present.same_fleet(target):
            return None
        running, wanted = endpoint.groups(), groups.of_blueprint(target)
        more = groups.workers(groups.larger(running, wanted)) - groups.workers(running)
        self._require_room(f"the change of endpoint {endpoint.name!r}", more)
        return target

    def _planned(
        self,
        name: str,
        config: EndpointConfig,
        retained: frozenset[Retained],
        strategy: Strategy | None,
    ) -> tuple[Endpoint, Blueprint, Rollout | None]:
        """Return what an update would be; raise what it is refused with."""
        endpoint = self._idle(name, "updated")
        target = self._blueprint(config)
        target = target.retaining(endpoint.recorded.blueprint, retained)
        self._require_variants(self._hosted(name), target.config)
        rollout = None
        wanted = groups.workers(groups.of_blueprint(target))
        if strategy is not None and not strategy.plain:
            rollout = staging.begun(
                strategy, endpoint.recorded.blueprint, target, self._clock.now()
            )
            self._require_alarms(strategy)
            wanted = staging.more(rollout, endpoint.groups(), groups.of_blueprint(target))
        self._require_room(f"the update of endpoint {name!r}", wanted)
        return endpoint, target, rollout

    def promote(self, name: str, actor: str) -> None:
        """Have the update that is under way take all requests now, and watch no alarms any more.

        What it waits for alone is the new fleet's capacity, and its termination wait; a rolling
        update brings up all that is missing. One that goes over at once goes on as it is. Raises
        EndpointNotFound, Unreadable, and Conflict where no update is under way, or one that is
        being rolled back.
        """
        self._updated(name).promote(actor)

    def roll_back(self, name: str, actor: str, reason: str) -> None:
        """Call off the update that is under way: what served before serves on.

        One that is being rolled back goes on with that. Raises EndpointNotFound, Unreadable, and
        Conflict where no update is under way.
        """
        self._updated(name).turn_back(f"{actor} rolled it back: {reason}", actor)

    def _updated(self, name: str) -> Endpoint:
        endpoint = self._endpoint(name)
        if isinstance(endpoint, Stranded):
            raise Unreadable(endpoint.why)
        return endpoint

    def _require_alarms(self, strategy: Strategy) -> None:
        """Raise AlarmNotFound, or Conflict where one would turn the update back at once."""
        for name in strategy.alarms:
            if self._premises.alarm(name) is State.ALARM:
                raise Conflict(
                    f"alarm {name!r} is in {State.ALARM} already, and would roll the update back "
                    "at once",
                    hint="update without it, or when it is OK",
                )
