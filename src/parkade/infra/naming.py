"""What the stacks are called."""

from __future__ import annotations

from enum import StrEnum

_DEPLOYER = "AutoScalingModelEndpointDeploymentStateMachine"
_MACHINE_LIMIT = 80


class Title(StrEnum):
    """What a stack is called behind the project's prefix."""

    METER = "MeterStack"
    API = "APIStack"
    FOUNDATION_MODELS = "FoundationModelsStack"
    ARCHIVING = "ModelArchivingStack"
    SERVING = "ModelServingStack"
    MULTI_MODEL = "MultiModelStack"
    MAINTAINER = "MaintainerStack"
    DEPLOYER = "DeployerStack"
    MONITOR = "MonitorDashboardStack"
    TESTER = "TesterStack"
    PIPELINE = "CICDPipelineStack"


def stack_name(prefix: str, title: Title) -> str:
    """Return what a stack is called: `TextClassificationDemo-MeterStack`."""
    return f"{prefix}-{title}"


def deployer_machine(prefix: str) -> str:
    """Return what the deployer's machine is called: the seed's name, behind the project's prefix.

    An account may have several projects, and a machine's name has at most 80 characters.
    """
    return f"{prefix[: _MACHINE_LIMIT - len(_DEPLOYER) - 1]}-{_DEPLOYER}"
