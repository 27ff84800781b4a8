"""What multi-model endpoints measure: how target models come, serve and go, and how many are there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.domain.series import INSTANCES, PARKADE, SAGEMAKER, Aggregate, Series, Unit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from parkade.apps.control.monitor.accounts import Accounts
    from parkade.runtime.placement import Placement
    from parkade.runtime.tallies import Tally


def measure(accounts: Accounts, placement: Placement, now: datetime) -> None:
    """Add by how much the tallies have grown, to the variant and to the target model itself."""
    for (endpoint_name, variant_name, target), grown in placement.tallies.take_news().items():
        of_variant = {"EndpointName": endpoint_name, "VariantName": variant_name}
        for name, value, unit in _samples(grown):
            series = Series.of(SAGEMAKER, name, **of_variant)
            accounts.add(series, now, value, unit=unit)
        for name, value, unit in (*_own(grown), *_samples(grown)):
            series = Series.of(PARKADE, name, **of_variant, TargetModel=target)
            accounts.add(series, now, value, unit=unit)


def count_loaded(accounts: Accounts, placement: Placement, now: datetime) -> None:
    """Add how many models each instance has loaded; the same model in two of them is two."""
    for shelf in placement.shelves():
        place = shelf.place
        of_variant = {"EndpointName": place.endpoint_name, "VariantName": place.variant_name}
        for dimensions in (of_variant, {**of_variant, "InstanceId": place.instance_id}):
            series = Series.of(INSTANCES, "LoadedModelCount", **dimensions)
            accounts.add(series, now, Aggregate.of(float(len(shelf.copies))), unit=Unit.COUNT)


def _own(grown: Tally) -> Iterator[tuple[str, Aggregate, Unit]]:
    """Give what a variant has from its gateways' rows."""
    if grown.invocations:
        yield "Invocations", Aggregate.of(1.0, grown.invocations), Unit.COUNT
        yield "InvocationModelErrors", _part(grown.model_errors, grown.invocations), Unit.COUNT
        yield "ModelLatency", _mean(grown.model_us, grown.invocations), Unit.MICROSECONDS


def _samples(grown: Tally) -> Iterator[tuple[str, Aggregate, Unit]]:
    if grown.invocations:
        yield "ModelCacheHit", _part(grown.hits, grown.invocations), Unit.NONE
    waited = grown.invocations - grown.hits
    for name, total, count in (
        ("ModelLoadingWaitTime", grown.waiting_us, waited),
        ("ModelDownloadingTime", grown.downloading_us, grown.downloads),
        ("ModelLoadingTime", grown.loading_us, grown.loads),
        ("ModelUnloadingTime", grown.unloading_us, grown.unloads),
    ):
        if count > 0:
            yield name, _mean(total, count), Unit.MICROSECONDS


def _part(number: int, count: int) -> Aggregate:
    least, most = float(number >= count), float(number > 0)
    return Aggregate(count=count, total=number, least=least, most=most)


def _mean(total: int, count: int) -> Aggregate:
    """Return samples of which the sum alone is known: each counts as their mean."""
    return Aggregate.of(total / count, count)
