"""Models of a stack, and the images among them that are built here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_ecr_assets as ecr_assets
from constructs import Construct

from parkade.domain.project.project import PROJECT_TAG
from parkade.infra.constructs.modelroles import ModelRole
from parkade.infra.properties import models as properties

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from parkade.domain.project.part import Part
    from parkade.infra.properties.endpoints import Described
    from parkade.infra.stack import ParkadeStack


class Models(Construct):
    """Models, and the role that they run with.

    A model is called by its content. What changes makes another one, and CloudFormation removes the
    former when nothing of the stack uses it any more.
    """

    def __init__(
        self,
        stack: ParkadeStack,
        construct_id: str,
        *,
        parts: Sequence[Part],
        endpoints: Iterable[Described] = (),
    ) -> None:
        """Make the models of these parts; the endpoints say what their containers write."""
        super().__init__(stack, construct_id)
        self._stack = stack
        self._built: dict[str, ecr_assets.DockerImageAsset] = {}
        self.role = ModelRole(
            stack,
            f"{construct_id}Role",
            contents=[part.content for part in parts],
            endpoints=endpoints,
        )
        tags = {**stack.estate.document.tags, PROJECT_TAG: stack.estate.prefix}
        #: By the names of the models.
        self.resources: dict[str, cdk.CfnResource] = {}
        for part in parts:
            made = cdk.CfnResource(
                self,
                part.key,
                type=properties.TYPE,
                properties=self._properties(part, tags),
            )
            # SageMaker looks whether the role may read the data before it takes a model.
            made.node.add_dependency(self.role)
            self.resources[part.name] = made

    def _properties(self, part: Part, tags: Mapping[str, str]) -> dict[str, object]:
        told = properties.properties(part, self.role.arn, tags)
        container = told.get("PrimaryContainer", {})
        folder = self._stack.estate.images.get(container.get("Image", ""))
        if folder is not None:
            container["Image"] = self._image(part.key, folder).image_uri
        return told

    def _image(self, key: str, folder: Path) -> ecr_assets.DockerImageAsset:
        """Return the image of a folder: it is built and pushed when the stack is deployed."""
        found = self._built.get(str(folder))
        if found is None:
            found = ecr_assets.DockerImageAsset(
                self,
                f"{key}Image",
                directory=str(folder),
                platform=ecr_assets.Platform.LINUX_AMD64,
            )
            found.repository.grant_pull(self.role.role)
            self._built[str(folder)] = found
        return found
