"""`pipeline`: the steps from a push to what serves."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from parkade.apps.projectfile.base import BucketName, Key, Section


class PipelineSetting(Section):
    """What `parkade pipeline run` and CI do, and on AWS CodePipeline, where it is to.

    There it begins with a push to `repository`, or with a new `key` in `bucket`; without either,
    no pipeline is made.
    """

    branch: Annotated[str, Field(min_length=1)] = Field(
        default="main", description="branch whose pushes are delivered."
    )
    repository: Annotated[str, Field(min_length=1, max_length=255)] | None = Field(
        default=None,
        description="repository that AWS CodePipeline takes: `owner/name` with `connection`, else "
        "the name of one of CodeCommit.",
    )
    connection: (
        Annotated[
            str, Field(pattern=r"^arn:aws[a-z\-]*:(codeconnections|codestar-connections):\S+$")
        ]
        | None
    ) = Field(
        default=None,
        description="ARN of the connection of AWS CodeConnections to GitHub, or to where else "
        "`repository` is.",
    )
    bucket: BucketName | None = Field(
        default=None,
        description="instead of `repository`: bucket, with versions, that holds the project as a "
        "zip file.",
    )
    key: Annotated[str, Field(min_length=1, max_length=1024)] | None = Field(
        default=None, description="the zip file in `bucket`."
    )
    test: list[Key] | None = Field(
        default=None, description="keys of the models whose cases are run; null: all with a folder."
    )
    tester: bool = Field(default=True, description="whether the tester runs before promoting.")

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.bucket is None) != (self.key is None):
            raise ValueError("bucket and key go together: give both, or neither")
        if self.bucket is not None and (self.repository or self.connection):
            raise ValueError("bucket does not go with repository: give one source")
        if self.connection is not None and "/" not in (self.repository or ""):
            raise ValueError("connection needs repository, as owner/name")
        if self.connection is None and "/" in (self.repository or ""):
            raise ValueError(
                "connection is missing: it leads to repository; CodeCommit's have no owner/ before "
                "their names"
            )
        return self
