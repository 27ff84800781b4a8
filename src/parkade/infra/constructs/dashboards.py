"""Dashboards of CloudWatch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch

from parkade.infra.properties import widgets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from parkade.infra.properties.widgets import Shelf
    from parkade.infra.stack import ParkadeStack


def dashboard(
    stack: ParkadeStack,
    construct_id: str,
    *,
    name: str,
    shelves: Sequence[Shelf],
    alarms: Sequence[str] = (),
) -> cloudwatch.CfnDashboard:
    """Return a dashboard of these shelves, with the states of alarms, by their ARNs, above them.

    Raises InvalidInput for more than one dashboard can have.
    """
    body = widgets.body(shelves, region=stack.region, alarms=alarms)
    made = cloudwatch.CfnDashboard(
        stack, construct_id, dashboard_name=name, dashboard_body=stack.to_json_string(body)
    )
    page = (
        f"https://{stack.region}.console.aws.amazon.com/cloudwatch/home?region={stack.region}"
        f"#dashboards:name={name}"
    )
    cdk.CfnOutput(stack, f"{construct_id}Page", value=page, description=name)
    return made
