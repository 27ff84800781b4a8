"""The scaling of an endpoint's variants as Application Auto Scaling's resources have it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from parkade.domain.deploy import policies
from parkade.domain.scaling.target import Resource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from parkade.infra.properties.endpoints import Described

TARGET_TYPE = "AWS::ApplicationAutoScaling::ScalableTarget"
POLICY_TYPE = "AWS::ApplicationAutoScaling::ScalingPolicy"
_NAMESPACE = "sagemaker"
#: What policies are called that come of a file.
_POLICY = "deployment"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaled:
    """One variant that is scaled: the properties of its target, and of its policy."""

    variant_name: str
    target: dict[str, Any]
    policy: dict[str, Any]


def scaled(endpoint: Described) -> Iterator[Scaled]:
    """Go through the variants that are scaled."""
    for variant in endpoint.content.variants:
        ordered = endpoint.wanted.order.scaling.get(variant.name)
        if ordered is None:
            continue
        resource = Resource(endpoint.name, variant.name)
        of = {
            "ResourceId": resource.id,
            "ScalableDimension": resource.dimension.value,
            "ServiceNamespace": _NAMESPACE,
        }
        yield Scaled(
            variant_name=variant.name,
            target={**of, "MinCapacity": ordered.least, "MaxCapacity": ordered.most},
            policy={
                **of,
                "PolicyName": _POLICY,
                "PolicyType": "TargetTrackingScaling",
                "TargetTrackingScalingPolicyConfiguration": policies.written(ordered.tracking),
            },
        )
