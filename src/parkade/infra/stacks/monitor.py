"""What is watched on AWS, and who hears of it: alarms, a dashboard, mail, and the budget.

Alarms are those of the file, `thresholds` among them; the ones that call updates off stand with their
endpoints. Whoever has an address in `monitor.subscribers` is subscribed to the topic of notices, and
has to confirm it once, by the mail that AWS sends.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_sns as sns
from constructs import Construct

from parkade.adapters.folder.prices import FolderPriceLists
from parkade.apps.cloud.parameters import Shared
from parkade.apps.projectfile.watched import subject_of
from parkade.domain import price
from parkade.domain.price import Machine, PriceSource
from parkade.domain.project.part import Kind
from parkade.infra import assortment, sharing
from parkade.infra.constructs.alarms import alarms
from parkade.infra.constructs.dashboards import dashboard
from parkade.infra.naming import Title
from parkade.infra.properties import budgets
from parkade.infra.properties.dashboards import watched
from parkade.infra.stack import ParkadeStack

if TYPE_CHECKING:
    from decimal import Decimal

    from parkade.infra.estate import Estate

#: What the dashboard is called behind the prefix.
DASHBOARD = "MonitorDashboard"
_BUDGET = "AWS::Budgets::Budget"


class MonitorDashboardStack(ParkadeStack):
    """Alarms, the dashboard, subscriptions and the budget of a project."""

    title = Title.MONITOR
    about = "alarms, a dashboard, subscriptions by mail, and the budget"
    after = (
        Title.METER,
        Title.API,
        Title.SERVING,
        Title.FOUNDATION_MODELS,
        Title.MULTI_MODEL,
    )

    def __init__(
        self, scope: Construct, construct_id: str | None = None, *, estate: Estate
    ) -> None:
        """Make the stack. Raises InvalidInput for more than a dashboard can show."""
        super().__init__(scope, construct_id, estate=estate)
        topic = sharing.shared(self, Shared.TOPIC)
        self.alarms = alarms(self, assortment.alarms(estate, self.title), topic=topic)
        dashboard(
            self,
            "Dashboard",
            name=f"{estate.prefix}-{DASHBOARD}",
            shelves=watched(
                subject_of(estate.document), machines=machines(estate), prices=prices(estate)
            ),
            alarms=[
                self.format_arn(
                    service="cloudwatch",
                    resource="alarm",
                    resource_name=part.name,
                    arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
                )
                for part in estate.parts(Kind.ALARM)
            ],
        )
        # In a scope of their own names end in a digest: addresses may differ by a dot alone.
        mail = Construct(self, "Mail")
        for address in addresses(estate):
            sns.CfnSubscription(mail, address, topic_arn=topic, protocol="email", endpoint=address)
        budget = estate.document.limits.budget
        if budget is not None:
            cdk.CfnResource(
                self,
                "Budget",
                type=_BUDGET,
                properties=budgets.properties(estate.prefix, budget, addresses(estate)),
            )

    @classmethod
    def wanted(cls, estate: Estate) -> bool:
        """Tell whether the file says what is to be watched."""
        document = estate.document
        return "monitor" in document.model_fields_set or document.limits.budget is not None


def addresses(estate: Estate) -> tuple[str, ...]:
    """Return the addresses of the project's subscribers, each once."""
    found: list[str] = []
    for each in estate.document.monitor.subscribers:
        found += [each] if isinstance(each, str) else each.to if each.kind == "email" else []
    return tuple(dict.fromkeys(found))


def machines(estate: Estate) -> dict[str, tuple[Machine, ...]]:
    """Return what each endpoint runs on."""
    return {
        endpoint.name: tuple(
            Machine(
                variant_name=each.name,
                instance_type=each.instance_type,
                count=each.instance_count,
                serverless=each.serverless is not None,
            )
            for each in endpoint.content.every
        )
        for endpoint in assortment.described(estate)
    }


def prices(estate: Estate) -> dict[str, Decimal]:
    """Return USD an hour by instance type: the file's own before those of Parkade's list."""
    region = estate.document.region
    packaged = FolderPriceLists(Path()).packaged(region) if region else None
    listed = packaged.prices(PriceSource.PACKAGED) if packaged else {}
    own = {name: price.amount(hourly) for name, hourly in estate.document.prices.items()}
    return {**{name: each.hourly for name, each in listed.items()}, **own}
