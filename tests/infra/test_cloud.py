"""`parkade cloud`, as it is typed; the CDK's command line is stood for by a program that notes its words."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from importlib import util
from pathlib import Path

import pytest
from typer.testing import CliRunner

from parkade.apps import settings
from parkade.apps.cli import cloud
from parkade.apps.cli.main import app
from parkade.infra.naming import Title
from tests.infra.synthesizing import synthesized


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return a folder with a project file, from which commands are typed; without credentials."""
    (tmp_path / "parkade.yaml").write_text("project: Demo\nprofile: ours\n")
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    return tmp_path


@pytest.fixture
def credentials(folder):
    (folder / "credentials").write_text(
        "[ours]\naws_access_key_id = x\naws_secret_access_key = y\n"
    )


@pytest.fixture
def npx(folder, monkeypatch):
    """Return where a program that stands for npx notes what it was asked."""
    noted = folder / "noted.json"
    program = folder / "bin" / "npx"
    program.parent.mkdir()
    program.write_text(
        f"#!{sys.executable}\nimport json, sys\n"
        f"json.dump(sys.argv[1:], open({str(noted)!r}, 'w'))\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    return noted


@pytest.fixture
def assembly(monkeypatch):
    """Take an assembly that is there already: deploying needs libraries, and these tests the time."""

    def there(_file, _stage, _config, out, **_switches):
        shutil.copytree(synthesized().folder, out, dirs_exist_ok=True)

    monkeypatch.setattr(cloud, "_synthesize", there)


def _typed(*words):
    return CliRunner().invoke(app, ["cloud", *words], prog_name="parkade")


def test_ls_lists_the_stacks_in_the_order_of_their_deployment(folder):
    done = _typed("ls", "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    names = [each["name"] for each in told]
    assert names[:2] == [f"Demo-{Title.METER}", f"Demo-{Title.API}"]
    api = told[1]
    assert api["after"] == [f"Demo-{Title.METER}"]
    assert api["resources"] > 20
    assert "tokens" in api["about"]
    assert not (folder / "cdk.out").exists()


def test_synth_writes_an_assembly(folder):
    done = _typed("synth", "--no-bundle", "--out", "there")
    assert done.exit_code == 0, done.output
    assert (folder / "there" / f"Demo-{Title.METER}.template.json").is_file()
    assert f"Demo-{Title.METER}" in done.stdout


def test_a_file_that_is_wrong_is_told_with_its_line(folder):
    (folder / "parkade.yaml").write_text("project: Demo\nroutes: {/a: {endpoint: nothing}}\n")
    done = _typed("synth", "--no-bundle")
    assert done.exit_code == 1
    assert "parkade.yaml:2:15: routes./a.endpoint: the file has no endpoint" in done.stderr


def test_what_aws_has_not_is_told_each_on_a_line_by_its_place(folder):
    text = """\
project: Demo
models:
  a: {data: "s3://models/a.tar.gz", image: pytorch-inference}
  b: {data: "s3://models/b.tar.gz", image: pytorch-inference}
endpoints:
  text: {variants: [{model: a, type: ml.m5.large}]}
routes:
  /a: {endpoint: text, sticky: {header: X-User}}
"""
    (folder / "parkade.yaml").write_text(text)
    done = _typed("ls")
    assert done.exit_code == 1
    assert [line.split(": ")[:3] for line in done.stderr.splitlines()[-3:]] == [
        ["error", "parkade.yaml:3:37", "models.a.image"],
        ["error", "parkade.yaml:4:37", "models.b.image"],
        ["error", "parkade.yaml:8:24", "routes./a.sticky"],
    ]


def test_what_a_stack_refuses_is_told_by_its_place_too(folder):
    text = """\
project: Demo
models: {a: {data: "s3://models/a.tar.gz", image: 1.dkr.ecr.us-east-1.amazonaws.com/a:1}}
endpoints: {text: {variants: [{model: a, type: ml.m5.large}]}}
tester:
  {endpoint: text, cases: [{"id": 1, "input": 1, "expected": 1}], duration_seconds: 5000}
"""
    (folder / "parkade.yaml").write_text(text)
    done = _typed("synth", "--no-bundle")
    assert done.exit_code == 1
    assert "error: parkade.yaml:5:67: tester.duration_seconds: a run of 5000 s" in done.stderr
    (folder / "parkade.yaml").write_text(text.replace("5000", "60"))
    assert _typed("synth", "--no-bundle").exit_code == 0


def test_settings_that_lambda_does_not_take_are_no_place_of_the_file(folder):
    (folder / "parkade.yaml").write_text(
        "project: Demo\nmodels: {a: {data: 's3://models/a.tar.gz', image: 1.dkr.ecr.us-east-1.amazonaws.com/a:1}}\n"
        "endpoints: {text: {variants: [{model: a, type: ml.m5.large}]}}\nroutes:\n"
        + "".join(f"  /{'r' * 50}{number}: {{endpoint: text}}\n" for number in range(60))
    )
    done = _typed("ls")
    assert done.exit_code == 1
    (told,) = (line for line in done.stderr.splitlines() if line.startswith("error: "))
    assert "Lambda allows 4096" in told


@pytest.mark.parametrize("there", ["a folder", "a file"])
def test_what_others_wrote_is_not_replaced_by_an_assembly(folder, there):
    if there == "a folder":
        (folder / "there").mkdir()
        kept = folder / "there" / "manifest.json"
    else:
        kept = folder / "there"
    kept.write_text("mine")
    done = _typed("synth", "--no-bundle", "--out", "there")
    assert done.exit_code == 1
    assert "error: there " in done.stderr
    assert "--out" in done.stderr
    assert kept.read_text() == "mine"


@pytest.mark.usefixtures("folder")
def test_without_the_extra_it_says_which_to_install(monkeypatch):
    monkeypatch.setattr(util, "find_spec", lambda name: None)
    done = _typed("synth")
    assert done.exit_code == 1
    assert "pip install 'parkade[cdk]'" in done.stderr


@pytest.mark.usefixtures("folder", "npx")
@pytest.mark.parametrize("option", ["profile", "region"])
def test_what_is_said_of_an_account_before_the_command_is_not_passed_over(option):
    done = CliRunner().invoke(app, [f"--{option}", "theirs", "cloud", "deploy"])
    assert done.exit_code == 1
    assert f"--{option} theirs is not for parkade cloud" in done.stderr
    assert f"AWS_{option.upper()}" in done.stderr
    assert not Path("cdk.out").exists()


@pytest.mark.usefixtures("folder", "npx")
def test_without_credentials_nothing_is_synthesized_for_a_deployment():
    done = _typed("deploy")
    assert done.exit_code == 1
    assert "there are no AWS credentials of profile 'ours'" in done.stderr
    assert not Path("cdk.out").exists()


def test_without_node_it_says_what_to_install(folder, monkeypatch):
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(settings.sysconfig, "get_path", lambda name: str(folder))
    done = _typed("deploy")
    assert done.exit_code == 1
    assert "there is no npx" in done.stderr


@pytest.mark.usefixtures("credentials", "assembly")
def test_deploy_asks_the_pinned_command_line_for_the_stacks_that_are_named(npx):
    done = _typed("deploy", "MeterStack", f"Demo-{Title.API}", "--yes")
    assert done.exit_code == 0, done.output
    assert json.loads(npx.read_text()) == [
        "--yes",
        f"aws-cdk@{cloud.CDK_VERSION}",
        "deploy",
        "Demo-MeterStack",
        "Demo-APIStack",
        "--app",
        "cdk.out",
        "--profile",
        "ours",
        "--require-approval",
        "never",
    ]


@pytest.mark.usefixtures("credentials", "assembly")
@pytest.mark.parametrize("verb", ["diff", "destroy"])
def test_what_names_no_stack_is_about_all(npx, verb):
    assert _typed(verb).exit_code == 0
    asked = json.loads(npx.read_text())
    assert asked[2:4] == [verb, "--all"]
    assert "--force" not in asked


@pytest.mark.usefixtures("credentials", "assembly", "npx")
def test_a_stack_that_the_project_has_not_is_refused_with_a_suggestion():
    done = _typed("destroy", "MeterStak")
    assert done.exit_code == 1
    assert "the project has no stack 'MeterStak'" in done.stderr
    assert "MeterStack" in done.stderr


@pytest.mark.usefixtures("credentials", "assembly")
def test_a_deployment_that_fails_fails_the_command(npx):
    program = npx.parent / "bin" / "npx"
    program.write_text("#!/bin/sh\nexit 3\n")
    assert _typed("diff").exit_code == 3


def test_the_command_line_is_one_that_reads_these_assemblies():
    """From 2.1147.0 on, and before 3.0.0, which reads none."""
    major, minor, _ = (int(part) for part in cloud.CDK_VERSION.split("."))
    assert major == 2
    assert minor >= 1147


def test_a_command_begins_without_what_only_some_need():
    """The CDK, AWS's clients, forms and servers take longer to import than most commands."""
    script = (
        "import sys; from parkade.apps.cli import main; "
        "print({each.split('.')[0] for each in sys.modules} "
        "& {'aws_cdk', 'jsii', 'botocore', 'pydantic', 'fastapi', 'uvicorn'})"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"
