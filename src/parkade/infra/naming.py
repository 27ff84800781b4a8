"""What the stacks are called."""

from __future__ import annotations

from enum import StrEnum


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
