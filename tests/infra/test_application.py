"""The application as a whole: which stacks a file gets, what they share, and that others can use them."""

from __future__ import annotations

import json
import re

import pytest

from parkade.apps.cloud.parameters import Shared
from parkade.domain.errors import InvalidInput
from parkade.infra.naming import Title
from tests.infra.synthesizing import MINIMAL, estate, synthesized

FUNCTION = "AWS::Lambda::Function"


def _titles(assembly):
    return {name.removeprefix(f"{assembly.prefix}-") for name in assembly.stacks}


def test_a_minimal_file_gets_the_meter_and_the_api():
    found = _titles(synthesized())
    assert {Title.METER, Title.API} <= found
    assert not found & {Title.SERVING, Title.FOUNDATION_MODELS, Title.MULTI_MODEL, Title.TESTER}


def test_synthesizing_twice_gives_the_same_templates(tmp_path):
    from parkade.infra import application

    again = application.synthesize(estate(MINIMAL), out=tmp_path)
    first = synthesized()
    for name in first.stacks:
        file = f"{name}.template.json"
        assert (again / file).read_text() == (first.folder / file).read_text()


def test_what_a_stack_reads_of_others_some_stack_writes():
    assembly = synthesized()
    written, read = set(), set()
    for name in assembly.stacks:
        template = json.loads((assembly.folder / f"{name}.template.json").read_text())
        for each in template["Resources"].values():
            if each["Type"] == "AWS::SSM::Parameter":
                written.add(each["Properties"]["Name"])
        for each in template.get("Parameters", {}).values():
            if each["Type"] == "AWS::SSM::Parameter::Value<String>":
                read.add(each["Default"])
    ours = {name for name in read if name.startswith("/parkade/")}
    assert ours
    assert ours <= written
    assert f"/parkade/Demo/{Shared.TABLE}" in written


def test_functions_are_for_arm_have_traces_json_logs_and_a_role_of_their_own():
    for title in (Title.METER, Title.API):
        roles = []
        for name, function in synthesized().resources(title, FUNCTION).items():
            told = function["Properties"]
            if not told.get("Handler", "").startswith("parkade."):
                continue
            assert told["Architectures"] == ["arm64"], name
            assert told["Runtime"] == "python3.13", name
            assert told["TracingConfig"] == {"Mode": "Active"}, name
            assert told["LoggingConfig"]["LogFormat"] == "JSON", name
            assert told["Environment"]["Variables"]["PARKADE_PROJECT"] == "Demo", name
            roles.append(json.dumps(told["Role"]))
        assert len(set(roles)) == len(roles)
        for role in synthesized().resources(title, "AWS::IAM::Role").values():
            managed = json.dumps(role["Properties"].get("ManagedPolicyArns", []))
            assert "AdministratorAccess" not in managed
            assert "FullAccess" not in managed


def test_no_role_may_do_everything_of_a_service():
    for title in (Title.METER, Title.API):
        for policy in synthesized().resources(title, "AWS::IAM::Policy").values():
            for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
                actions = statement["Action"]
                for action in [actions] if isinstance(actions, str) else actions:
                    assert not action.endswith("*"), action


def test_settings_of_the_server_reach_the_functions(tmp_path):
    from parkade.apps.serverfile import read_server_file

    file = tmp_path / "server.yaml"
    file.write_text("limits: {max_minutes_ahead: 60}\n")
    from dataclasses import replace

    told = replace(estate(), server=read_server_file(file)).settings()
    assert json.loads(told) == {"limits": {"max_minutes_ahead": 60}}


def test_settings_that_no_function_could_hold_are_refused_by_name():
    from dataclasses import replace

    import aws_cdk as cdk

    from parkade.apps.serverfile import ServerFile
    from parkade.infra.stacks.meter import MeterStack

    server = ServerFile.model_validate(
        {"topics": {f"topic-{n}": "https://x.test" for n in range(200)}}
    )
    with pytest.raises(InvalidInput, match=r"environment of function \w+ has \d+ bytes"):
        MeterStack(cdk.App(), estate=replace(estate(), server=server))


def test_stacks_are_constructs_for_applications_of_others(tmp_path):
    """The example of docs/cloud.md."""
    import aws_cdk as cdk
    from aws_cdk import aws_sns_subscriptions as subscriptions

    from parkade.infra.stacks.meter import MeterStack

    app = cdk.App(outdir=str(tmp_path))
    meter = MeterStack(app, "Parking", estate=estate())
    meter.topic.add_subscription(subscriptions.EmailSubscription("team@example.com"))
    app.synth()
    template = json.loads((tmp_path / "Parking.template.json").read_text())
    (found,) = [
        each["Properties"]
        for each in template["Resources"].values()
        if each["Type"] == "AWS::SNS::Subscription"
    ]
    assert found["Endpoint"] == "team@example.com"


def test_account_region_and_tags_of_the_file_are_those_of_the_stacks():
    assembly = synthesized(
        'project: Demo\naccount: "123456789012"\nregion: eu-west-1\ntags: {team: search}\n'
    )
    (meter,) = [
        each
        for name, each in assembly.manifest["artifacts"].items()
        if name == f"Demo-{Title.METER}"
    ]
    assert meter["environment"] == "aws://123456789012/eu-west-1"
    assert meter["properties"]["tags"] == {"parkade:project": "Demo", "team": "search"}


def test_descriptions_fit_what_cloudformation_takes():
    assembly = synthesized()
    for name in assembly.stacks:
        template = json.loads((assembly.folder / f"{name}.template.json").read_text())
        assert re.fullmatch(r"Parkade, Demo: .{10,1000}", template["Description"])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "models: {a: {image: pytorch-inference, data: s3://b/a.tar.gz}}",
            "image 'pytorch-inference' is not the address of a container image",
        ),
        (
            "models: {a: {image: 1.dkr.ecr.a.com/a:1, environment: {KEY: {env: PATH}}}}",
            "would stand readable in the stack's template",
        ),
        (
            "routes: {/a: {endpoint: a, sticky: {header: X-User}}}",
            "API Gateway does not remember who met which variant",
        ),
        (
            "routes: {/a: {endpoint: a, timeout_seconds: 60}}",
            "60 s is more than the 29 s that API Gateway waits",
        ),
        (
            "routes: {/a: {endpoint: a, kind: direct, timeout_seconds: 5}}",
            "a direct route has the time that the model has",
        ),
        (
            "routes: {/a: {endpoint: a, kind: execution, auth: public}}",
            "an execution is read by the token that began it",
        ),
        (
            "routes: {/later: {endpoint: later}}",
            "endpoint 'later' is asynchronous",
        ),
    ],
)
def test_what_aws_cannot_do_is_refused_by_its_place(text, words):
    serving = (
        "models: {m: {image: 1.dkr.ecr.eu-west-1.amazonaws.com/m:1, data: s3://b/m.tar.gz}}\n"
        "endpoints:\n  a: {variants: [{model: m, type: ml.c5.large}]}\n"
        "  later: {variants: [{model: m, type: ml.c5.large}], async: {output: s3://b/out}}\n"
    )
    file = MINIMAL + (serving if text.startswith("routes") else "") + text + "\n"
    with pytest.raises(InvalidInput, match=words):
        estate(file, environment={"PATH": "secret"})


def test_a_name_that_no_stack_may_have_is_refused_by_its_place():
    words = "project: '1demo' begins with a digit, and names of stacks begin with a letter"
    with pytest.raises(InvalidInput, match=words):
        estate("project: 1demo\n")


@pytest.mark.parametrize("keys", ["t-1 t1", "Text text"])
def test_keys_that_a_template_does_not_tell_apart_are_refused_by_their_place(keys):
    one, other = keys.split()
    variants = "{deploy: false, variants: [{model: m, type: ml.c5.large}]}"
    text = (
        "models: {m: {image: 1.dkr.ecr.eu-west-1.amazonaws.com/m:1, data: s3://b/m.tar.gz}}\n"
        f"endpoints:\n  {one}: {variants}\n  {other}: {variants}\n"
    )
    with pytest.raises(InvalidInput, match=f"'{one}' and '{other}' are one name in a template"):
        estate(MINIMAL + text)


def test_addresses_that_differ_by_a_dot_are_two_subscriptions():
    text = MINIMAL + "monitor: {subscribers: [a.smith@example.com, asmith@example.com]}\n"
    found = synthesized(text).resources(Title.MONITOR, "AWS::SNS::Subscription")
    assert len(found) == 2
