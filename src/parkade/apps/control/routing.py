"""Writes what the host shows of an endpoint as the gateways' link has it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from parkade.apps import link
from parkade.domain.route import Mark
from parkade.domain.standing import Standing, State, told_at

if TYPE_CHECKING:
    from parkade.domain.catalog import Capture
    from parkade.ports.routes import Route
    from parkade.runtime.views import FleetView, RisingView, VariantView


def endpoint_view(stands: Standing, fleet: FleetView | None) -> link.EndpointView:
    """Return how requests to the endpoint are answered; it stands so in real time."""
    asynchronous = fleet is not None and fleet.asynchronous is not None
    if stands.state is not State.RUNNING:
        at = stands.expected_at
        return link.EndpointView(
            asynchronous=asynchronous,
            down=link.Down(
                reason=stands.reason,
                hint=stands.hint,
                retry_after=max(1, math.ceil(stands.retry_after.total_seconds())),
                # In whole seconds, so that looking again does not change what is told.
                expected_at=None if at is None else int(told_at(at).timestamp()),
                wakes=stands.wakes,
                hold=stands.hold.total_seconds(),
            ),
        )
    if fleet is None:
        return link.EndpointView()
    components = fleet.components
    return link.EndpointView(
        variants=tuple(map(_variant, fleet.variants)),
        generation=fleet.generation,
        rising=_rising(fleet.rising),
        shadows=tuple(map(_variant, fleet.shadows)),
        components=None
        if components is None
        else {
            name: link.ComponentRoute(variant=each.variant_name, route=_variant(each.route))
            for name, each in components.items()
        },
        capture=_capture(fleet.capture),
        asynchronous=asynchronous,
    )


def route_view(route: Route) -> link.RouteView:
    """Return where a path leads, and under which conditions."""
    rate, sticky = route.rate, route.sticky
    marks = {} if sticky is None else {str(sticky.mark): sticky.name}
    return link.RouteView(
        endpoint=route.endpoint_name,
        public=route.public,
        project=route.project,
        rate=None if rate is None else rate.per_second,
        burst=1 if rate is None else rate.burst,
        seconds=route.timeout_seconds,
        header=marks.get(Mark.HEADER, ""),
        cookie=marks.get(Mark.COOKIE, ""),
    )


def _rising(rising: RisingView | None) -> link.Rising | None:
    if rising is None:
        return None
    return link.Rising(
        generation=rising.generation,
        weight=rising.weight,
        parts=rising.parts,
        variants=tuple(map(_variant, rising.variants)),
    )


def _variant(view: VariantView) -> link.VariantRoute:
    return link.VariantRoute(
        name=view.name,
        weight=view.weight,
        instances=tuple(
            link.InstanceRoute(id=instance.id, addresses=instance.addresses)
            for instance in view.instances
        ),
        random=view.random,
        concurrency=view.concurrency,
        hostnames=view.hostnames,
        direct=view.direct,
        multi_model=view.multi_model,
    )


def _capture(capture: Capture | None) -> link.CaptureView | None:
    if capture is None or not capture.enabled:
        return None
    return link.CaptureView(
        destination=capture.destination,
        percentage=capture.percentage,
        inputs=capture.inputs,
        outputs=capture.outputs,
        csv_types=capture.csv_types,
        json_types=capture.json_types,
    )
