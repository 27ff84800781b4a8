"""What all stacks are: a stack of one estate, named and tagged by it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk

from parkade.domain.project.project import PROJECT_TAG
from parkade.infra.naming import Title, stack_name

if TYPE_CHECKING:
    from constructs import Construct

    from parkade.infra.estate import Estate

#: What the CDK does as it once did, unless it is told to do better.
_SWITCHES = (
    # Access logs are let in by the policy of their bucket; access lists are a thing of the past.
    "aws-s3:serverAccessLogsUseBucketPolicy",
    # Other libraries are another version of a function, and another authorizer another deployment of
    # its API: what was deployed would go on with the former ones.
    "aws-lambda:recognizeLayerVersion",
    "aws-apigateway:authorizerChangeDeploymentLogicalId",
)


class ParkadeStack(cdk.Stack):
    """A stack of an estate. It goes into any CDK application: `MeterStack(app, estate=estate)`."""

    #: What it is called behind the prefix.
    title: Title
    #: One line for people.
    about: str
    #: The stacks that are deployed before it, where they are there.
    after: tuple[Title, ...] = ()

    def __init__(
        self, scope: Construct, construct_id: str | None = None, *, estate: Estate
    ) -> None:
        """Make the stack, for the account and region of the file where it names them."""
        name = stack_name(estate.prefix, self.title)
        super().__init__(
            scope,
            construct_id or name,
            stack_name=name,
            description=f"Parkade, {estate.prefix}: {self.about}",
            env=cdk.Environment(account=estate.document.account, region=estate.document.region),
            tags={**estate.document.tags, PROJECT_TAG: estate.prefix},
        )
        for name in _SWITCHES:
            self.node.set_context(f"@aws-cdk/{name}", True)
        self.estate = estate

    @property
    def removal(self) -> cdk.RemovalPolicy:
        """What becomes of data when the stack goes."""
        return (
            cdk.RemovalPolicy.RETAIN if self.estate.options.retains else cdk.RemovalPolicy.DESTROY
        )

    @classmethod
    def wanted(cls, estate: Estate) -> bool:  # noqa: ARG003  some are there where the file has what they are for
        """Tell whether an estate has it."""
        return True
