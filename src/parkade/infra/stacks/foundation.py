"""Foundation models: JumpStart's, model packages and images that bring their model, and async endpoints.

Models and configs are made, and the endpoints are the meter's. An asynchronous endpoint that names no
topics gets two of its own: one that is told of answers, one that is told of failures.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk

from parkade.infra import assortment, sharing
from parkade.infra.constructs.hosting import HostingStack
from parkade.infra.constructs.topics import notices
from parkade.infra.naming import Title

if TYPE_CHECKING:
    from constructs import Construct

    from parkade.infra.estate import Estate
    from parkade.infra.properties.endpoints import Described

_NOTIFICATION = "AsyncInferenceConfig.OutputConfig.NotificationConfig"


class FoundationModelsStack(HostingStack):
    """Models of others, and asynchronous endpoints."""

    title = Title.FOUNDATION_MODELS
    about = "models of JumpStart, packages and images, and asynchronous endpoints"
    room = "foundation-models"
    # A model that several endpoints serve is made by the first of these stacks.
    after = (*HostingStack.after, Title.SERVING)

    def __init__(
        self, scope: Construct, construct_id: str | None = None, *, estate: Estate
    ) -> None:
        """Make the stack."""
        super().__init__(scope, construct_id, estate=estate)
        for endpoint in assortment.endpoints(estate, self.title):
            queue = endpoint.content.asynchronous
            if queue is not None and not queue.success_topic and not queue.error_topic:
                self._topics(endpoint)

    def _topics(self, endpoint: Described) -> None:
        """Have answers and failures told to topics of the stack's own.

        They are no part of what the config is called by: an endpoint that names none always has them.
        """
        config = self.endpoints.configs[endpoint.part.key]
        for title, member, room in (
            ("Answers", "SuccessTopic", "success-topic-arn"),
            ("Failures", "ErrorTopic", "error-topic-arn"),
        ):
            topic = notices(self, f"{endpoint.part.key}{title}")
            config.add_property_override(f"{_NOTIFICATION}.{member}", topic.topic_arn)
            self.models.role.grants.publishing(topic.topic_arn)
            sharing.publish(self, f"{self.room}/{endpoint.part.key}/{room}", topic.topic_arn)
            cdk.CfnOutput(
                self,
                f"{endpoint.part.key}{title}TopicArn",
                value=topic.topic_arn,
                description=f"told of {title.lower()} of {endpoint.name}",
            )
