"""Sees all endpoints of an account: by its list, and a description of each that has changed.

ListEndpoints tells a hundred endpoints a call, with status and LastModifiedTime; what else is to be
known of one is asked for once and remembered until either of them changes. SageMaker lists what was
created a moment later than it takes it, so that what is begun here is shown until it is listed.
"""

from __future__ import annotations

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from parkade.adapters.aws.refusals import calling
from parkade.adapters.aws.sagemaker import descriptions
from parkade.adapters.aws.sagemaker.meanings import meaning
from parkade.adapters.aws.sagemaker.sight import Sight
from parkade.domain.endpoint import EndpointStatus
from parkade.domain.errors import EndpointNotFound, ParkadeError, Throttled, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from parkade.adapters.aws.account import Account
    from parkade.adapters.aws.sagemaker.shelf import Shelf
    from parkade.adapters.aws.sagemaker.sight import SightStore
    from parkade.domain.catalog import Variant
    from parkade.ports.clock import Clock

logger = logging.getLogger(__name__)

#: SageMaker's longest page.
PAGE = 100
#: Descriptions that are asked for at once: few, since SageMaker throttles an account as a whole.
_AT_ONCE = 8
#: So many descriptions are remembered together, so that a process that is ended loses no more.
_BATCH = 64
#: For so long what was begun here is shown although it is not listed. SageMaker does not say how
#: long its list lags; seconds were seen.
LAG = timedelta(minutes=2)
#: Statuses in which an endpoint changes without saying when: an update goes on in stages.
_MOVING = frozenset({EndpointStatus.UPDATING, EndpointStatus.ROLLING_BACK})


class Sights:
    """Sees endpoints. Safe to use from several threads."""

    def __init__(
        self,
        account: Account,
        store: SightStore,
        clock: Clock,
        *,
        shelf: Shelf,
        told: Callable[[Sight | None, Sight | None], None] = lambda _before, _after: None,
    ) -> None:
        """Take where sights are remembered.

        `told` hears of every change since `all` was asked before, by this process or the one
        before it: how an endpoint was seen then and is seen now; None: it was not, or is not, there.
        """
        self._account = account
        self._store = store
        self._clock = clock
        #: What describes endpoint configs and models, for those who need them beside.
        self.shelf = shelf
        self._told = told
        #: Held while all endpoints are seen. Those who come meanwhile share the next pass, which
        #: begins after they came.
        self._one_pass = threading.Lock()
        #: How many passes were begun, and what the last one saw; None: nothing.
        self._passes = 0
        self._seen: Mapping[str, Sight] | None = None
        #: Held while what is known is read or changed, and never for a call to SageMaker.
        self._lock = threading.Lock()
        self._known: dict[str, Sight] | None = None
        #: What `told` has heard of.
        self._heard: Mapping[str, Sight] = {}

    def all(self) -> Mapping[str, Sight]:
        """Return every endpoint by name. Raises Unavailable where not all can be seen."""
        begun = self._passes
        with self._one_pass:
            if self._passes == begun or self._seen is None:
                self._passes, self._seen = self._passes + 1, None
                self._seen = self._see()
            return self._seen

    def _see(self) -> Mapping[str, Sight]:
        before = self._snapshot()
        listed = self._listed()
        stale = [told for name, told in listed.items() if _stale(told, before.get(name))]
        fresh = listed.keys() - {_name(each) for each in stale}
        found = {name: before[name] for name in fresh}
        for begin in range(0, len(stale), _BATCH):
            found |= self._describe_all(stale[begin : begin + _BATCH], before)
        now = self._snapshot()
        found |= {
            name: sight
            for name, sight in now.items()
            if name not in listed and self._awaited(sight)
        }
        self._forget({name: sight for name, sight in before.items() if name not in found})
        self._tell(found)
        return dict(sorted(found.items()))

    def look(self, name: str) -> Sight | None:
        """Return one endpoint as it is now; None where there is none."""
        former = self._snapshot().get(name)
        try:
            with calling(f"endpoint {name!r} cannot be described", meaning):
                told = self._account.client("sagemaker").describe_endpoint(EndpointName=name)
        except EndpointNotFound:
            return former if former is not None and self._awaited(former) else None
        seen = descriptions.sight(told, self._variants(told, {}), former, self._clock.now())
        self._remember([seen])
        return seen

    def last(self, name: str) -> Sight | None:
        """Return one endpoint as it was last seen, by the last look at all; else as it is now."""
        with self._lock:
            known = self._remembered().get(name)
        return known if known is not None and known.whole else self.look(name)

    def begin(self, name: str, config_name: str) -> None:
        """Remember that an endpoint was begun here, which may not be listed for a moment."""
        now = self._clock.now()
        begun = Sight(
            name=name,
            status=EndpointStatus.CREATING,
            created_at=now,
            changed_at=now,
            whole=False,
            begun=True,
            config_name=config_name,
        )
        self._remember([begun])

    def _listed(self) -> dict[str, Mapping[str, Any]]:
        # In the order of creation, so that what comes while pages are read is on the last one.
        try:
            with calling("endpoints cannot be listed"):
                return {
                    _name(told): told
                    for page in self._account.pages(
                        "sagemaker",
                        "list_endpoints",
                        SortBy="CreationTime",
                        SortOrder="Ascending",
                        MaxResults=PAGE,
                    )
                    for told in page["Endpoints"]
                }
        except Unavailable:
            raise
        except ParkadeError as error:
            # Whatever keeps them from being seen, nothing may be decided meanwhile.
            raise Unavailable(error.message, hint=error.hint) from error

    def _snapshot(self) -> dict[str, Sight]:
        with self._lock:
            return dict(self._remembered())

    def _remembered(self) -> dict[str, Sight]:
        """Return what is known, to be changed; the lock is held."""
        if self._known is None:
            self._heard = self._store.all()
            self._known = dict(self._heard)
        return self._known

    def _describe_all(
        self, stale: Collection[Mapping[str, Any]], known: Mapping[str, Sight]
    ) -> dict[str, Sight]:
        """Return what is there of these, and remember it."""
        configs: dict[str, Mapping[str, Variant] | None] = {}

        def one(told: Mapping[str, Any]) -> Sight | None:
            return self._describe(told, known.get(_name(told)), configs)

        with ThreadPoolExecutor(_AT_ONCE) as threads:
            seen = list(threads.map(one, stale))
        found = {each.name: each for each in seen if each is not None}
        self._remember(found.values())
        return found

    def _remember(self, sights: Collection[Sight]) -> None:
        with self._lock:
            known = self._remembered()
            changed = [each for each in sights if each != known.get(each.name)]
            known |= {each.name: each for each in changed}
        self._store.put(changed)

    def _tell(self, found: Mapping[str, Sight]) -> None:
        heard, now = self._heard, dict(found)
        for name in sorted(heard.keys() | found.keys()):
            before, after = heard.get(name), found.get(name)
            if before is not None and after is not None and not (after.whole or after.begun):
                now[name] = before  # what has become of it is told once it is described
            elif before != after:
                self._told(before, after)
        self._heard = now

    def _awaited(self, sight: Sight) -> bool:
        """Tell whether it was begun here so lately that it may not be told of yet."""
        return sight.begun and self._clock.now() - sight.created_at < LAG

    def _describe(
        self,
        listed: Mapping[str, Any],
        former: Sight | None,
        configs: dict[str, Mapping[str, Variant] | None],
    ) -> Sight | None:
        """Return one endpoint as it is now, or as it is listed; None: it is gone."""
        name = _name(listed)
        try:
            with calling(f"endpoint {name!r} cannot be described", meaning):
                told = self._account.client("sagemaker").describe_endpoint(EndpointName=name)
            return descriptions.sight(
                told, self._variants(told, configs), former, self._clock.now()
            )
        except EndpointNotFound:
            return None
        except ParkadeError as error:
            # Its lease can be kept to by what the list tells; it is described at the next sight.
            logger.warning("%s; what is known of it is from the list of endpoints", error.message)
            return _partial(listed, former)

    def _variants(
        self,
        told: Mapping[str, Any],
        configs: dict[str, Mapping[str, Variant] | None],
    ) -> Mapping[str, Variant] | None:
        """Return the variants of what an endpoint runs; None: they cannot be told just now."""
        config_name = told.get("EndpointConfigName", "")
        if config_name and config_name not in configs:
            configs[config_name] = self._config_variants(config_name)
        return configs.get(config_name, {})

    def _config_variants(self, config_name: str) -> Mapping[str, Variant] | None:
        try:
            return {each.name: each for each in self.shelf.config(config_name).every}
        except ParkadeError as error:
            logger.warning("what runs on which machines is not known: %s", error.message)
            # One that is gone, or may not be read, stays so: its endpoints run on.
            return None if isinstance(error, Throttled | Unavailable) else {}

    def _forget(self, gone: Mapping[str, Sight]) -> None:
        with self._lock:
            known = self._remembered()
            # One that came meanwhile, of a new name or of theirs, was not to be seen yet.
            names = [name for name, sight in gone.items() if known.get(name) == sight]
            for name in names:
                del known[name]
        if names:
            self._store.forget(names)


def _name(listed: Mapping[str, Any]) -> str:
    name: str = listed["EndpointName"]
    return name


def _stale(listed: Mapping[str, Any], sight: Sight | None) -> bool:
    if sight is None or not sight.whole or sight.status in _MOVING:
        return True
    return (sight.status, sight.created_at, sight.changed_at) != (
        listed["EndpointStatus"],
        listed["CreationTime"],
        listed["LastModifiedTime"],
    )


def _partial(listed: Mapping[str, Any], former: Sight | None) -> Sight:
    """Return what the list tells, with what was known of the same endpoint before."""
    status = descriptions.status_of(listed)
    seen = Sight(
        name=_name(listed),
        status=status,
        created_at=listed["CreationTime"],
        changed_at=listed["LastModifiedTime"],
        whole=False,
    )
    if former is None or not descriptions.is_of(former, listed):
        return seen
    known = replace(
        former,
        status=status,
        created_at=seen.created_at,
        changed_at=seen.changed_at,
        whole=False,
        begun=False,
    )
    if status is former.status:
        return known
    if status not in _MOVING:
        known = replace(known, target_config_name="", rising=(), rollout=None)
    return replace(known, failure_reason="")
