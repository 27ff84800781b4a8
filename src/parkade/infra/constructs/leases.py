"""Leases of a project's endpoints: what the file says of them, put by the lease function.

The endpoint of a lease is no resource of CloudFormation's: it comes and goes with what is paid for,
and a stack would take that for drift. The stack has the lease instead. It is bought once, when it is
made; deploying again changes config and terms, and buys nothing.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import aws_cdk as cdk

from parkade.apps.cloud.parameters import Shared
from parkade.infra import sharing

if TYPE_CHECKING:
    from constructs import Construct

    from parkade.infra.properties.endpoints import Described
    from parkade.infra.stack import ParkadeStack

TYPE = "Custom::Lease"


def leased(
    scope: Construct, stack: ParkadeStack, endpoint: Described, config: cdk.CfnResource
) -> cdk.CustomResource:
    """Return the lease of an endpoint that is going to be started with a config."""
    content = json.dumps(endpoint.part.content, sort_keys=True, separators=(",", ":"))
    lease = cdk.CustomResource(
        scope,
        f"{endpoint.part.key}Lease",
        resource_type=TYPE,
        service_token=sharing.shared(stack, Shared.LEASES),
        properties={
            "EndpointName": endpoint.name,
            "EndpointConfigName": endpoint.config_name,
            "Content": content,
        },
    )
    lease.node.add_dependency(config)
    return lease
