"""Inference components."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from parkade.domain.blueprint import Component
from parkade.domain.catalog import Container, Model

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

SPECIFICATION = "Specification"


def told(given: Mapping[str, Any], model: Callable[[str], Model]) -> Component:
    """Return a component that AWS describes; `model` finds the model that it names."""
    name, specification = given["InferenceComponentName"], given.get(SPECIFICATION) or {}
    patience = specification.get("StartupParameters", {})
    named = specification.get("ModelName")
    return Component(
        name=name,
        endpoint_name=given["EndpointName"],
        variant_name=given.get("VariantName", ""),
        model=model(named) if named else _spelt(name, specification, given["CreationTime"]),
        copies=given.get("RuntimeConfig", {}).get("DesiredCopyCount", 0),
        created_at=given["CreationTime"],
        download_timeout=patience.get("ModelDataDownloadTimeoutInSeconds"),
        startup_timeout=patience.get("ContainerStartupHealthCheckTimeoutInSeconds"),
        extras={SPECIFICATION: asked(specification)},
    )


def _spelt(name: str, specification: Mapping[str, Any], created_at: datetime) -> Model:
    """Return the model that a component spells out itself, or takes from another component."""
    container = specification.get("Container", {})
    image = container.get("Image") or container.get("DeployedImage", {}).get("SpecifiedImage")
    return Model(
        name=name,
        containers=(
            Container(
                image=image or str(specification["BaseInferenceComponentName"]),
                data_url=container.get("ArtifactUrl", ""),
                environment=container.get("Environment", {}),
            ),
        ),
        created_at=created_at,
    )


def asked(specification: Mapping[str, Any]) -> dict[str, Any]:
    """Return a specification as it can be given again: with its image, not what that has become."""
    form = dict(specification)
    if container := form.get("Container"):
        image = container.get("DeployedImage", {}).get("SpecifiedImage")
        form["Container"] = {
            **{key: value for key, value in container.items() if key != "DeployedImage"},
            **({"Image": image} if image else {}),
        }
    return form
