"""Templates are checked when they are made; all of ours are clean."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from parkade.domain.errors import ParkadeError
from parkade.infra import checks
from tests.infra import snapshots

_SEEDED = """
from parkade.apps import settings
settings.let_cdk_find_node(validates=True)
import aws_cdk as cdk
from parkade.infra import checks
app = cdk.App(outdir={out!r}, context=checks.STRICT)
cdk.CfnResource(cdk.Stack(app, "Seeded"), "Config", type="AWS::SageMaker::EndpointConfig", properties={{
    "ProductionVariants": [{{"VariantName": "no good", "ModelName": "m", "InitialVariantWeight": 1}}]
}})
app.synth()
"""


def _validating():
    """Return the environment without the switch that other tests leave the validator out by."""
    return {name: value for name, value in os.environ.items() if name != "CDK_VALIDATION"}


@pytest.mark.aws
@pytest.mark.timeout(1200)  # validator and linter take half a minute of a processor each
def test_all_stacks_pass_the_cdks_own_validator_and_the_rules(tmp_path):
    """With every check on, as `parkade cloud synth` has them."""
    file = snapshots.WHOLE / "parkade.yaml"
    command = [sys.executable, "-m", "parkade.infra", "--file", str(file), "--no-bundle"]
    done = subprocess.run(
        [*command, "--out", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        env=_validating(),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    _lint(tmp_path)


@pytest.mark.aws
@pytest.mark.timeout(1200)
def test_the_validators_findings_are_errors(tmp_path):
    """Else the test above could not fail."""
    done = subprocess.run(
        [sys.executable, "-c", _SEEDED.format(out=str(tmp_path))],
        capture_output=True,
        text=True,
        check=False,
        env=_validating(),
    )
    assert done.returncode != 0
    assert "VariantName" in done.stdout + done.stderr


def _lint(folder: Path) -> None:
    # W3005: the CDK writes dependencies that references imply already.
    command = [str(Path(sys.executable).with_name("cfn-lint")), "-i", "W3005", "--"]
    done = subprocess.run(
        [*command, *sorted(map(str, folder.glob("*.template.json")))],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_finding_that_nobody_acknowledged_stops_the_synthesis(monkeypatch, tmp_path):
    import aws_cdk as cdk
    from aws_cdk import aws_sqs as sqs

    from parkade.infra import application
    from tests.infra.synthesizing import estate

    class Careless(cdk.Stack):
        def __init__(self, app):
            super().__init__(app, "Careless")
            sqs.Queue(self, "Queue")

    monkeypatch.setattr(application, "build", lambda app, _: Careless(app))
    with pytest.raises(ParkadeError, match="refused by their checks"):
        application.synthesize(estate(), out=tmp_path)
    assert "SQS4" in (tmp_path / "validation-report.json").read_text()


@pytest.mark.parametrize(
    ("resolved", "text"),
    [
        ("*", "*"),
        ({"Ref": "AWS::Partition"}, "<AWS::Partition>"),
        (
            {"Fn::Join": ["", [{"Fn::GetAtt": ["Table", "Arn"]}, "/index/*"]]},
            "<Table.Arn>/index/*",
        ),
    ],
)
def test_resources_are_spelt_as_the_rules_spell_them(resolved, text):
    assert checks.spelt(resolved) == text
