"""What instances use of the machine, looked at every ten seconds of the lease clock, in a thread."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import psutil

from parkade.domain.errors import ParkadeError
from parkade.domain.series import COMPONENTS, INSTANCES, Aggregate, Series, Unit, rounded
from parkade.ports.metrics import MINUTE
from parkade.runtime.utilization import Utilization, disk

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from parkade.apps.control.monitor.accounts import Accounts
    from parkade.apps.control.monitor.subjects import Subjects
    from parkade.runtime.host import Host
    from parkade.runtime.utilization import Used
    from parkade.runtime.views import InstanceStatus

logger = logging.getLogger(__name__)


class Machine:
    """Samples CPUUtilization, MemoryUtilization and DiskUtilization of all instances."""

    def __init__(self, accounts: Accounts, host: Host, subjects: Subjects, folder: Path) -> None:
        """Tell of the disk that `folder` is on, which all instances have in common."""
        self._accounts = accounts
        self._host = host
        self._subjects = subjects
        self._folder = folder
        self._utilization = Utilization()
        self._cores = psutil.cpu_count() or 1

    async def sample(self, now: datetime) -> None:
        """Look, and add what was seen."""
        workers = list(self._workers())
        leaders: dict[str, list[int]] = {}
        for _, status in workers:
            leaders.setdefault(status.instance, []).append(status.pid or 0)
        if not leaders:
            return
        try:
            used, full = await asyncio.to_thread(self._look, leaders)
        except (OSError, psutil.Error) as error:
            logger.warning("what instances use cannot be seen: %s", error)
            return
        firsts = {status.instance: (seconds, name, status) for seconds, name, status in (
            (self._seconds(name), name, status) for name, status in workers
        )}  # fmt: skip
        for instance_id, (seconds, name, status) in firsts.items():
            for namespace, metric, value in _values(used[instance_id], full):
                for dimensions in _dimensions(name, status):
                    self._add(Series.of(namespace, metric, **dimensions), now, value, seconds)
            if status.component_name:
                self._add_copy(status.component_name, used[instance_id], now, seconds)

    def _look(self, leaders: Mapping[str, list[int]]) -> tuple[Mapping[str, Used], float]:
        return self._utilization.look(leaders), disk(self._folder)

    def _workers(self) -> Iterator[tuple[str, InstanceStatus]]:
        for name in self._subjects.all():
            try:
                statuses = self._host.instances(name)
            except ParkadeError:
                continue  # it went this moment
            yield from ((name, each) for each in statuses if each.pid is not None)

    def _seconds(self, endpoint_name: str) -> int:
        subjects = self._subjects.of(endpoint_name)
        return min((each.seconds for each in subjects), default=MINUTE)

    def _add_copy(self, component_name: str, used: Used, now: datetime, seconds: int) -> None:
        for metric, value in (
            ("CPUUtilizationNormalized", None if used.cpu is None else used.cpu / self._cores),
            ("MemoryUtilizationNormalized", used.memory),
        ):
            if value is not None:
                series = Series.of(COMPONENTS, metric, InferenceComponentName=component_name)
                self._add(series, now, value, seconds)

    def _add(self, series: Series, now: datetime, value: float, seconds: int) -> None:
        self._accounts.add(
            series, now, Aggregate.of(rounded(value)), unit=Unit.PERCENT, seconds=seconds
        )


def _values(used: Used, full: float) -> Iterator[tuple[str, str, float]]:
    if used.cpu is not None:
        yield INSTANCES, "CPUUtilization", used.cpu
    yield INSTANCES, "MemoryUtilization", used.memory
    yield INSTANCES, "DiskUtilization", full


def _dimensions(endpoint_name: str, status: InstanceStatus) -> Iterator[Mapping[str, str]]:
    of_variant = {"EndpointName": endpoint_name, "VariantName": status.variant_name}
    yield of_variant
    yield {**of_variant, "InstanceId": status.instance}
