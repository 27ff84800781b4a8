"""What a stack with endpoints is: models, the alarms that guard updates, configs, endpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.apps.cloud.parameters import Shared
from parkade.infra import assortment, sharing
from parkade.infra.constructs.alarms import alarms
from parkade.infra.constructs.endpoints import Endpoints
from parkade.infra.constructs.models import Models
from parkade.infra.naming import Title
from parkade.infra.stack import ParkadeStack

if TYPE_CHECKING:
    from constructs import Construct

    from parkade.infra.estate import Estate


class HostingStack(ParkadeStack):
    """A stack with the endpoints that the project's assortment gives it."""

    #: What the names of its parameters begin with.
    room: str
    after: tuple[Title, ...] = (Title.METER, Title.ARCHIVING)

    def __init__(
        self, scope: Construct, construct_id: str | None = None, *, estate: Estate
    ) -> None:
        """Make the stack."""
        super().__init__(scope, construct_id, estate=estate)
        endpoints = assortment.endpoints(estate, self.title)
        parts = assortment.models(estate, self.title)
        self.models = Models(self, "Models", parts=parts, endpoints=endpoints)
        guarding = assortment.alarms(estate, self.title)
        self.alarms = (
            alarms(self, guarding, topic=sharing.shared(self, Shared.TOPIC)) if guarding else {}
        )
        self.endpoints = Endpoints(
            self,
            "Endpoints",
            endpoints=endpoints,
            models=self.models.resources,
            alarms=self.alarms,
            room=self.room,
        )
        for part in parts:
            sharing.publish(self, f"{self.room}/{part.key}/model-name", part.name)

    @classmethod
    def wanted(cls, estate: Estate) -> bool:
        """Tell whether the project has endpoints or models for it."""
        return bool(assortment.endpoints(estate, cls.title) or assortment.models(estate, cls.title))
