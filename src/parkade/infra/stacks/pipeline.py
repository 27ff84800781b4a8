"""The pipeline: from a push to what serves, by CodePipeline and CodeBuild.

    Source    the repository, by CodeConnections or of CodeCommit, or a zip file in a bucket
    Test      the models' own cases, and the templates with their checks; nothing of AWS is touched
    Deliver   `parkade cloud deploy`, then the tester; what does not pass goes back to the revision
              that was delivered before

Steps have the rights that they need: to deploy is to assume the roles that `cdk bootstrap` made, and
nothing else. The pipeline does not deploy itself: who may change what it may do is a person.
"""

from __future__ import annotations

from importlib import metadata
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_codecommit as codecommit
from aws_cdk import aws_codepipeline as codepipeline
from aws_cdk import aws_codepipeline_actions as actions
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns

from parkade.apps.cloud.parameters import Shared, parameter_name
from parkade.domain.cases import FILE as CASES
from parkade.domain.errors import InvalidInput
from parkade.infra import checks, sharing
from parkade.infra.constructs.buckets import bucket
from parkade.infra.naming import Title
from parkade.infra.properties import buildspecs
from parkade.infra.stack import ParkadeStack
from parkade.infra.stacks.tester import FUNCTION, TesterStack

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from constructs import Construct

    from parkade.infra.estate import Estate

    #: Makes the action that takes the project into an artifact.
    _Source = Callable[[codepipeline.Artifact], codepipeline.IAction]

_TESTER = "TESTER"
#: Days that artifacts of runs are kept.
_DAYS = 30
#: Minutes of a step: an endpoint that is created takes some, one that is updated in stages more.
_MINUTES = {"Test": 60, "Deploy": 480, "Try": 30}


class CICDPipelineStack(ParkadeStack):
    """The pipeline of a project."""

    title = Title.PIPELINE
    about = "tests, deploys and tries what is pushed"
    after = tuple(title for title in Title if title is not Title.PIPELINE)

    def __init__(
        self, scope: Construct, construct_id: str | None = None, *, estate: Estate
    ) -> None:
        """Make the stack. Raises InvalidInput for what no pipeline can do."""
        super().__init__(scope, construct_id, estate=estate)
        _require_no_profile(estate)
        self._key = kms.Key(
            self,
            "ArtifactsKey",
            description=f"{estate.prefix}: artifacts of the pipeline",
            enable_key_rotation=True,
            removal_policy=self.removal,
        )
        self._artifacts = bucket(self, "Artifacts", days=_DAYS, key=self._key)
        self._projects: list[codebuild.PipelineProject] = []
        source, test, deliver = self._source(), self._test(), self._deploy(scope)
        revision = codepipeline.Artifact("Revision")
        self.pipeline = codepipeline.Pipeline(
            self,
            "Pipeline",
            pipeline_name=f"{estate.prefix}-Pipeline",
            pipeline_type=codepipeline.PipelineType.V2,
            execution_mode=codepipeline.ExecutionMode.QUEUED,
            artifact_bucket=self._artifacts,
            restart_execution_on_update=False,
        )
        self.pipeline.add_stage(stage_name="Source", actions=[source(revision)])
        self._let_connect()
        self.pipeline.add_stage(
            stage_name="Test",
            actions=[actions.CodeBuildAction(action_name="Test", project=test, input=revision)],
        )
        steps = [
            actions.CodeBuildAction(
                action_name="Deploy", project=deliver, input=revision, run_order=1
            )
        ]
        if TesterStack.wanted(estate) and estate.document.pipeline.tester:
            steps.append(
                actions.CodeBuildAction(
                    action_name="Try", project=self._try(), input=revision, run_order=2
                )
            )
        self.pipeline.add_stage(
            stage_name="Deliver",
            actions=steps,
            on_failure=codepipeline.FailureConditions(result=codepipeline.Result.ROLLBACK),
        )
        self._tell_failures()
        self._acknowledge()
        cdk.CfnOutput(self, "PipelineName", value=self.pipeline.pipeline_name)

    @classmethod
    def wanted(cls, estate: Estate) -> bool:
        """Tell whether the file says where the project is taken from."""
        pipeline = estate.document.pipeline
        return pipeline.repository is not None or pipeline.bucket is not None

    def _source(self) -> _Source:
        """Return what makes the action that takes the project into an artifact."""
        given = self.estate.document.pipeline
        repository, branch = given.repository or "", given.branch
        if given.bucket is not None and given.key is not None:
            held = s3.Bucket.from_bucket_name(self, "Sources", given.bucket)
            key = given.key
            return lambda revision: actions.S3SourceAction(
                action_name="Source",
                bucket=held,
                bucket_key=key,
                output=revision,
                trigger=actions.S3Trigger.POLL,
            )
        if given.connection is not None:
            connection = given.connection
            owner, _, name = repository.partition("/")
            return lambda revision: actions.CodeStarConnectionsSourceAction(
                action_name="Source",
                connection_arn=connection,
                owner=owner,
                repo=name,
                branch=branch,
                output=revision,
            )
        committed = codecommit.Repository.from_repository_name(self, "Repository", repository)
        return lambda revision: actions.CodeCommitSourceAction(
            action_name="Source", repository=committed, branch=branch, output=revision
        )

    def _let_connect(self) -> None:
        """Let the source use its connection by the newer name of the permission, too."""
        connection = self.estate.document.pipeline.connection
        if connection is None:
            return
        stage = self.pipeline.node.find_child("Source")
        role = stage.node.find_child("Source").node.find_child("CodePipelineActionRole")
        if not isinstance(role, iam.Role):
            raise TypeError("the source action has no role of its own")
        role.add_to_policy(
            iam.PolicyStatement(actions=["codeconnections:UseConnection"], resources=[connection])
        )

    def _test(self) -> codebuild.PipelineProject:
        return self._project(
            "Test",
            "runs the models' own cases, and writes the templates with their checks",
            buildspecs.testing(
                version=metadata.version("parkade"),
                folders=tested_folders(self.estate),
                synth=self._file(),
            ),
        )

    def _deploy(self, scope: Construct) -> codebuild.PipelineProject:
        others = [
            each.stack_name
            for each in scope.node.children
            if isinstance(each, ParkadeStack) and each.estate is self.estate and each is not self
        ]
        project = self._project(
            "Deploy",
            "deploys the project's stacks",
            buildspecs.deploying(
                version=metadata.version("parkade"),
                arguments=[*others, *self._file(), "--yes"],
            ),
            privileged=bool(self.estate.images),
        )
        if self.estate.images:
            checks.acknowledge(project, "CB3", "images are built with a Docker engine")
        qualifier = self.synthesizer.bootstrap_qualifier or "*"
        roles = self.format_arn(
            service="iam",
            region="",
            resource="role",
            resource_name=f"cdk-{qualifier}-*-role-{self.account}-{self.region}",
        )
        project.add_to_role_policy(
            iam.PolicyStatement(actions=["sts:AssumeRole"], resources=[roles])
        )
        checks.acknowledge_wildcard(project, roles, "the four roles that cdk bootstrap made")
        return project

    def _try(self) -> codebuild.PipelineProject:
        name = parameter_name(self.estate.prefix, FUNCTION)
        project = self._project(
            "Try",
            "runs the tester, and takes its verdict",
            buildspecs.trying(),
            variables={
                _TESTER: codebuild.BuildEnvironmentVariable(
                    type=codebuild.BuildEnvironmentVariableType.PARAMETER_STORE, value=name
                )
            },
        )
        function = self.format_arn(
            service="lambda",
            resource="function",
            resource_name=sharing.shared(self, FUNCTION),
            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
        )
        project.add_to_role_policy(
            iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=[function])
        )
        return project

    def _project(
        self,
        name: str,
        about: str,
        spec: dict[str, Any],
        *,
        variables: Mapping[str, codebuild.BuildEnvironmentVariable] | None = None,
        privileged: bool = False,
    ) -> codebuild.PipelineProject:
        log = logs.LogGroup(
            self,
            f"{name}Log",
            retention=logs.RetentionDays.ONE_MONTH,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        made = codebuild.PipelineProject(
            self,
            name,
            description=f"{self.estate.prefix}: {about}",
            build_spec=codebuild.BuildSpec.from_object_to_yaml(spec),
            encryption_key=self._key,
            environment=codebuild.BuildEnvironment(
                build_image=codebuild.LinuxBuildImage.STANDARD_7_0,
                compute_type=codebuild.ComputeType.SMALL,
                privileged=privileged,
            ),
            environment_variables=dict(variables or {}),
            logging=codebuild.LoggingOptions(
                cloud_watch=codebuild.CloudWatchLoggingOptions(log_group=log)
            ),
            timeout=cdk.Duration.minutes(_MINUTES[name]),
            grant_report_group_permissions=False,
        )
        self._projects.append(made)
        return made

    def _acknowledge(self) -> None:
        """Say why the permissions that the CDK gives to steps of a pipeline are right."""
        held = "versions and parts of the artifacts in the one bucket that steps hand them over in"
        for action in ("Abort*", "DeleteObject*", "GetBucket*", "GetObject*", "List*"):
            checks.acknowledge(self, f"IAM5[Action::s3:{action}]", held)
        for action in ("GenerateDataKey*", "ReEncrypt*"):
            checks.acknowledge(self, f"IAM5[Action::kms:{action}]", "of the key of that bucket")
        checks.acknowledge_wildcard(self, f"{self._artifacts.bucket_arn}/*", held)
        for project in self._projects:
            group = self.format_arn(
                service="logs",
                resource="log-group",
                resource_name=f"/aws/codebuild/{project.project_name}",
                arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
            )
            checks.acknowledge_wildcard(self, f"{group}:*", "streams of the project's own logs")

    def _file(self) -> list[str]:
        """Return the options that name the file, and the stage of it that this is."""
        stage = self.estate.document.stage
        told = ["--file", self.estate.file_name]
        return [*told, "--stage", stage] if stage else told

    def _tell_failures(self) -> None:
        """Have the topic of notices told of runs that fail."""
        topic = sns.Topic.from_topic_arn(self, "Topic", sharing.shared(self, Shared.TOPIC))
        events.Rule(
            self,
            "Failed",
            description=f"{self.estate.prefix}: a run of the pipeline has failed",
            event_pattern=events.EventPattern(
                source=["aws.codepipeline"],
                detail_type=["CodePipeline Pipeline Execution State Change"],
                detail={
                    "pipeline": [f"{self.estate.prefix}-Pipeline"],
                    "state": ["FAILED"],
                },
            ),
            targets=[
                targets.SnsTopic(
                    topic,
                    message=events.RuleTargetInput.from_text(
                        f"{self.estate.prefix}: the pipeline has failed, in execution "
                        f"{events.EventField.from_path('$.detail.execution-id')}"
                    ),
                )
            ],
        )


def tested_folders(estate: Estate) -> list[str]:
    """Return the folders of models whose cases are run, as they are called in the repository.

    Raises InvalidInput for a folder that is outside of it.
    """
    wanted = estate.document.pipeline.test
    found: list[str] = []
    for archive in estate.archives:
        if not archive.source.is_dir() or (wanted is not None and archive.model not in wanted):
            continue
        if wanted is None and not (archive.source / CASES).is_file():
            continue
        try:
            inside = archive.source.resolve().relative_to(estate.folder.resolve())
        except ValueError as error:
            raise InvalidInput(
                f"model {archive.model!r} is outside of the folder of {estate.file_name}",
                field=f"models.{archive.model}.source",
                hint="a pipeline has the repository alone: move the model into it",
            ) from error
        found.append(inside.as_posix())
    return list(dict.fromkeys(found))


def _require_no_profile(estate: Estate) -> None:
    if estate.document.profile is not None:
        raise InvalidInput(
            f"the profile {estate.document.profile!r} is one of this machine's, and a pipeline has "
            "none",
            field="profile",
            hint="leave profile out of the file, and set AWS_PROFILE here",
        )
