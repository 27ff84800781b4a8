"""What a house has stored of measurements, read from its file while it runs, or after."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from parkade.adapters.sqlite.metrics import SqliteMetricStore
from parkade.domain.series import SAGEMAKER, Aggregate, Series
from tests.house import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from parkade.domain.series import Point
    from tests.house import House


class Measured:
    """The series of one house."""

    def __init__(self, house: House) -> None:
        self._store = SqliteMetricStore(house.paths.metrics)

    def close(self) -> None:
        self._store.close()

    def points(self, name: str, namespace: str = SAGEMAKER, **dimensions: str) -> list[Point]:
        series = Series.of(namespace, name, **dimensions)
        known = [each for each in self._store.known(namespace, name) if each.series == series]
        if not known:
            return []
        (found,) = known
        start = found.newest.replace(second=0, microsecond=0) - timedelta(hours=20)
        return list(self._store.points([series], start, start + timedelta(hours=21), 60)[series])

    def whole(self, name: str, namespace: str = SAGEMAKER, **dimensions: str) -> Aggregate:
        """Return all points together; nothing at all is as good as a zero."""
        total = Aggregate(count=0, total=0, least=float("inf"), most=0)
        for each in self.points(name, namespace, **dimensions):
            total = total.plus(each.value)
        return total

    def total(self, name: str, namespace: str = SAGEMAKER, **dimensions: str) -> float:
        return self.whole(name, namespace, **dimensions).total

    def wait_total(self, number: float, name: str, **dimensions: str) -> None:
        """Wait until so much is stored."""
        wait_for(
            lambda: self.total(name, **dimensions) >= number, why=f"{number} {name} {dimensions}"
        )
        assert self.total(name, **dimensions) == number

    def names(self, namespace: str = SAGEMAKER, **dimensions: str | None) -> set[str]:
        return {each.series.name for each in self._store.known(namespace, None, dimensions)}


@contextmanager
def measured(house: House) -> Iterator[Measured]:
    made = Measured(house)
    try:
        yield made
    finally:
        made.close()


def of(endpoint: str, variant: str = "AllTraffic", **more: Any) -> dict[str, str]:
    """Return the dimensions of a variant's series."""
    return {"EndpointName": endpoint, "VariantName": variant, **more}
