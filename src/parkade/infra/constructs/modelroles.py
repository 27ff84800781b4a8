"""The role that containers of models run with: what they read and write, and nothing else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from parkade.domain import names
from parkade.infra.constructs.grants import Grants

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from parkade.domain.event import Json
    from parkade.infra.properties.endpoints import Described
    from parkade.infra.stack import ParkadeStack

#: An image of ECR: account, region, repository.
_ECR = re.compile(r"(\d{12})\.dkr\.ecr(?:-fips)?\.([a-z0-9\-]+)\.amazonaws\.com(?:\.cn)?/([^:@]+)")
_METRICS = "/aws/sagemaker/Endpoints"


class ModelRole(Construct):
    """A role for models of one stack."""

    def __init__(
        self,
        stack: ParkadeStack,
        construct_id: str,
        *,
        contents: Iterable[Mapping[str, Json]],
        endpoints: Iterable[Described],
    ) -> None:
        """`contents` are those of the models; the endpoints say what is written, and who is told."""
        super().__init__(stack, construct_id)
        self.role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("sagemaker.amazonaws.com"),
            description=f"{stack.estate.prefix}: containers of models",
        )
        self.grants = Grants(stack, self.role)
        containers = [each for content in contents for each in _containers(content)]
        self._images(stack, containers)
        self._data(stack, containers)
        self._outcome(stack, list(endpoints))
        self._logs(stack)

    @property
    def arn(self) -> str:
        """The role's ARN."""
        return self.role.role_arn

    def _images(self, stack: ParkadeStack, containers: list[Mapping[str, Json]]) -> None:
        repositories = {
            stack.format_arn(
                service="ecr",
                resource="repository",
                resource_name=found[3],
                account=found[1],
                region=found[2],
            )
            for each in containers
            if (found := _ECR.match(str(each.get("image") or ""))) is not None
        }
        if not repositories:
            return
        self.grants.everywhere("ecr:GetAuthorizationToken")
        self.grants.allow(
            [
                "ecr:BatchCheckLayerAvailability",
                "ecr:BatchGetImage",
                "ecr:GetDownloadUrlForLayer",
            ],
            sorted(repositories),
        )

    def _data(self, stack: ParkadeStack, containers: list[Mapping[str, Json]]) -> None:
        read: set[str] = set()
        listed: dict[str, set[str]] = {}
        for each in containers:
            url = str(each.get("data_url") or "")
            if not url:
                continue
            if each.get("multi_model") or url.endswith("/"):
                bucket, prefix = names.s3_prefix(url)
                read.add(f"{bucket}/{prefix}*")
                listed.setdefault(bucket, set()).add(f"{prefix}*")
            else:
                bucket, key = names.s3_address(url)
                read.add(f"{bucket}/{key}")
        if read:
            self.grants.allow(
                ["s3:GetObject"],
                [_s3(stack, each) for each in sorted(read)],
                why="models of many, and data of many files, lie below this prefix",
            )
        for bucket, prefixes in sorted(listed.items()):
            self.grants.allow(
                ["s3:ListBucket"],
                [_s3(stack, bucket)],
                conditions={"StringLike": {"s3:prefix": sorted(prefixes)}},
            )

    def _outcome(self, stack: ParkadeStack, endpoints: list[Described]) -> None:
        written = sorted({f"{b}/{p}*" for each in endpoints for b, p in each.written_to()})
        if written:
            self.grants.allow(
                ["s3:PutObject"],
                [_s3(stack, each) for each in written],
                why="captured requests and asynchronous answers, below the prefix of the file",
            )
        inputs = any(each.asynchronous for each in endpoints)
        if inputs:
            self.grants.allow(
                ["s3:GetObject"],
                [_s3(stack, f"{b}/{p}*") for b, p in _inputs(stack, endpoints)],
                why="what asynchronous requests name lies in the buckets of their answers",
            )
        topics = sorted({topic for each in endpoints for topic in each.topics()})
        if topics:
            self.grants.allow(["sns:Publish"], topics)

    def _logs(self, stack: ParkadeStack) -> None:
        self.grants.allow(
            ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
            [
                stack.format_arn(
                    service="logs",
                    resource="log-group",
                    resource_name="/aws/sagemaker/Endpoints/*",
                    arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
                )
            ],
            why="SageMaker gives each endpoint a log group of its own below this path",
        )
        self.grants.figures(namespace=_METRICS)


def _containers(content: Mapping[str, Json]) -> Iterator[Mapping[str, Json]]:
    listed = content.get("containers")
    if isinstance(listed, list):
        yield from (each for each in listed if isinstance(each, dict))
    else:
        yield content


def _inputs(stack: ParkadeStack, endpoints: list[Described]) -> Iterator[tuple[str, str]]:
    """Go through where inputs of asynchronous requests lie: the buckets that answers go to."""
    seen = {bucket for each in endpoints if each.asynchronous for bucket, _ in each.written_to()}
    yield from ((bucket, "") for bucket in sorted(seen | {stack.estate.document.archives}))


def _s3(stack: ParkadeStack, path: str) -> str:
    return f"arn:{stack.partition}:s3:::{path}"
