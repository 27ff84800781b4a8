"""Snapshots as JSON values, as they go over the link."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from parkade.apps import link

if TYPE_CHECKING:
    from collections.abc import Mapping


def to_json(snapshot: link.Snapshot) -> dict[str, Any]:
    """Return the snapshot as JSON values."""
    return asdict(snapshot)


def from_json(values: Mapping[str, Any]) -> link.Snapshot:
    """Return the snapshot that `to_json` made these values of."""
    return link.Snapshot(
        version=values["version"],
        inside=values["inside"],
        auth=values["auth"],
        endpoints={name: _endpoint(view) for name, view in values["endpoints"].items()},
        routes={path: link.RouteView(**view) for path, view in values["routes"].items()},
        tokens=tuple(
            link.TokenView(**{**view, "endpoints": tuple(view["endpoints"])})
            for view in values["tokens"]
        ),
        limits=link.Limits(**values["limits"]),
    )


def _endpoint(view: Mapping[str, Any]) -> link.EndpointView:
    components, capture, down = view["components"], view["capture"], view["down"]
    rising = view["rising"]
    return link.EndpointView(
        variants=tuple(map(_variant, view["variants"])),
        generation=view["generation"],
        rising=link.Rising(**{**rising, "variants": tuple(map(_variant, rising["variants"]))})
        if rising is not None
        else None,
        shadows=tuple(map(_variant, view["shadows"])),
        components={
            name: link.ComponentRoute(variant=each["variant"], route=_variant(each["route"]))
            for name, each in components.items()
        }
        if components is not None
        else None,
        capture=link.CaptureView(
            **{
                **capture,
                "csv_types": tuple(capture["csv_types"]),
                "json_types": tuple(capture["json_types"]),
            }
        )
        if capture is not None
        else None,
        asynchronous=view["asynchronous"],
        down=link.Down(**down) if down is not None else None,
    )


def _variant(values: Mapping[str, Any]) -> link.VariantRoute:
    return link.VariantRoute(
        **{
            **values,
            "instances": tuple(
                link.InstanceRoute(id=each["id"], addresses=tuple(each["addresses"]))
                for each in values["instances"]
            ),
            "hostnames": tuple(values["hostnames"]),
        }
    )
