"""Endpoints of a stack: their configs, and whoever makes the endpoints themselves.

lease: false    the endpoint is the stack's own: created, updated by its strategy, scaled, and
                deleted with the stack
leased          the endpoint is the meter's: the stack makes the config, and has the lease function
                put what the file says of the lease; who applies the file again buys nothing
deploy: false   models and config alone
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from constructs import Construct

from parkade.infra import sharing
from parkade.infra.constructs import leases
from parkade.infra.properties import endpoints as properties
from parkade.infra.properties import scaling

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from parkade.infra.properties.endpoints import Described
    from parkade.infra.stack import ParkadeStack


class Endpoints(Construct):
    """The endpoints of a stack."""

    def __init__(
        self,
        stack: ParkadeStack,
        construct_id: str,
        *,
        endpoints: Sequence[Described],
        models: Mapping[str, cdk.CfnResource],
        alarms: Mapping[str, cdk.CfnResource],
        room: str,
    ) -> None:
        """Make them. `models` and `alarms` are those that the stack makes, by their names.

        `room` is what the parameters begin with by which other stacks, and people, find them.
        """
        super().__init__(stack, construct_id)
        self._alarms = alarms
        #: By the keys of the endpoints.
        self.configs: dict[str, cdk.CfnResource] = {}
        for each in endpoints:
            config = self._config(each, models)
            self.configs[each.part.key] = config
            if each.stands:
                self._endpoint(each, config)
            elif each.metered:
                leases.leased(self, stack, each, config)
            for end, value in (
                ("endpoint-name", each.name),
                ("endpoint-config-name", each.config_name),
            ):
                sharing.publish(stack, f"{room}/{each.part.key}/{end}", value)

    def _config(
        self, endpoint: Described, models: Mapping[str, cdk.CfnResource]
    ) -> cdk.CfnResource:
        config = cdk.CfnResource(
            self,
            f"{endpoint.part.key}Config",
            type=properties.CONFIG_TYPE,
            properties=endpoint.config(),
        )
        for name in endpoint.model_names:
            if name in models:
                config.add_resource_dependency(models[name])
        return config

    def _endpoint(self, endpoint: Described, config: cdk.CfnResource) -> None:
        key = endpoint.part.key
        made = cdk.CfnResource(
            self, key, type=properties.ENDPOINT_TYPE, properties=endpoint.endpoint()
        )
        made.add_resource_dependency(config)
        # SageMaker takes no update whose alarms are not there.
        for name in endpoint.wanted.order.strategy.alarms:
            if name in self._alarms:
                made.add_resource_dependency(self._alarms[name])
        for each in scaling.scaled(endpoint):
            target = cdk.CfnResource(
                self,
                f"{key}{each.variant_name}Target",
                type=scaling.TARGET_TYPE,
                properties=each.target,
            )
            # There is nothing to scale before the endpoint is there.
            target.add_resource_dependency(made)
            policy = cdk.CfnResource(
                self,
                f"{key}{each.variant_name}Policy",
                type=scaling.POLICY_TYPE,
                properties=each.policy,
            )
            policy.add_resource_dependency(target)
