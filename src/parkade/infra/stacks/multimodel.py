"""Many models in one container: a prefix of a bucket is what can be asked for.

Whatever lies below the prefix is served once it is asked for, by `TargetModel`; nothing is deployed for
another one. The image may be one's own: it is built of its folder, and pushed, where the stack is
deployed from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk

from parkade.infra import assortment
from parkade.infra.constructs.hosting import HostingStack
from parkade.infra.naming import Title

if TYPE_CHECKING:
    from constructs import Construct

    from parkade.infra.estate import Estate


class MultiModelStack(HostingStack):
    """Models of many, and the endpoints that serve them."""

    title = Title.MULTI_MODEL
    about = "endpoints with many models in one container"
    room = "multi-model"
    after = (*HostingStack.after, Title.SERVING)

    def __init__(
        self, scope: Construct, construct_id: str | None = None, *, estate: Estate
    ) -> None:
        """Make the stack."""
        super().__init__(scope, construct_id, estate=estate)
        for part in assortment.models(estate, self.title):
            cdk.CfnOutput(
                self,
                f"{part.key}Prefix",
                value=str(part.content.get("data_url")),
                description=f"below it lie the models of {part.key}",
            )
