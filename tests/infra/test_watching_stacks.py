"""The stacks of the monitor, the tester, the pipeline, the maintainer and the deployer."""

from __future__ import annotations

import json
import re

import pytest
import yaml

from parkade.domain.errors import InvalidInput
from parkade.domain.idlealarm import PREFIX
from parkade.infra.constructs import machines
from parkade.infra.naming import Title
from parkade.infra.stacks import pipeline, tester
from tests.infra.projects import FILES, IMAGE, WHOLE
from tests.infra.synthesizing import assembled, estate, synthesized

ALARM, RULE = "AWS::CloudWatch::Alarm", "AWS::Events::Rule"
FUNCTION, PROJECT = "AWS::Lambda::Function", "AWS::CodeBuild::Project"
PLAIN = f"""
project: Shop
models: {{m: {{data: s3://models/m.tar.gz, image: {IMAGE}}}}}
endpoints: {{text: {{lease: false, variants: [{{model: m, type: ml.c5.large}}]}}}}
"""
CASES = "[{id: one, input: a, expected: b}]"


@pytest.fixture(scope="module")
def whole():
    return synthesized(WHOLE, files=FILES)


def _body(assembly, title):
    """Return a dashboard's body: what is known at deployment alone stands as its reference."""
    told = assembly.only(title, "AWS::CloudWatch::Dashboard")["DashboardBody"]
    if isinstance(told, dict):
        told = "".join(
            each if isinstance(each, str) else "reference" for each in told["Fn::Join"][1]
        )
    return json.loads(told)


# -- the monitor ------------------------------------------------------------------------------


def test_thresholds_and_alarms_of_the_file_are_alarms_that_tell_the_topic(whole):
    alarms = {
        each["Properties"]["AlarmName"]: each["Properties"]
        for each in whole.resources(Title.MONITOR, ALARM).values()
    }
    prefix = "TextClassificationDemo"
    assert set(alarms) == {
        f"{prefix}-{key}" for key in ("overall-calls", "errors-4xx", "errors-5xx", "hot")
    }
    errors = alarms[f"{prefix}-errors-4xx"]
    assert (errors["MetricName"], errors["Threshold"], errors["Statistic"]) == (
        "4XXError",
        20,
        "Sum",
    )
    assert errors["Dimensions"] == [{"Name": "ApiName", "Value": prefix}]
    for each in alarms.values():
        (topic,) = each["AlarmActions"]
        assert each["OKActions"] == [topic]
        assert "metertopicarn" in topic["Ref"]


def test_the_api_is_called_by_the_name_that_its_alarms_watch(whole):
    assert whole.only(Title.API, "AWS::ApiGateway::RestApi")["Name"] == "TextClassificationDemo"


def test_topics_that_the_file_names_are_told_as_well():
    text = (
        PLAIN
        + "monitor: {alarms: {slow: {endpoint: text, metric: ModelLatency, above: 1, "
        + "topics: ['arn:aws:sns:us-east-1:123456789012:own']}}}\n"
    )
    (alarm,) = synthesized(text).resources(Title.MONITOR, ALARM).values()
    assert alarm["Properties"]["AlarmActions"][0] == "arn:aws:sns:us-east-1:123456789012:own"
    assert len(alarm["Properties"]["AlarmActions"]) == 2


def test_each_address_is_subscribed_once(whole):
    found = [
        (each["Properties"]["Protocol"], each["Properties"]["Endpoint"])
        for each in whole.resources(Title.MONITOR, "AWS::SNS::Subscription").values()
    ]
    assert sorted(found) == [("email", "ann@example.com"), ("email", "bob@example.com")]


def test_the_dashboard_has_the_apis_the_endpoints_the_functions_and_moneys_rows(whole):
    told = whole.only(Title.MONITOR, "AWS::CloudWatch::Dashboard")
    assert told["DashboardName"] == "TextClassificationDemo-MonitorDashboard"
    body = _body(whole, Title.MONITOR)
    headings = [
        each["properties"]["markdown"].partition("\n")[0]
        for each in body["widgets"]
        if each["type"] == "text"
    ]
    assert headings[0] == "## API"
    assert "## Endpoint TextClassificationDemo-text" in headings
    assert headings[-2:] == ["## Functions", "## Money"]
    alarms = body["widgets"][0]["properties"]["alarms"]
    assert any("slow" in each for each in alarms), "the one that stands with its endpoint, too"
    # The price of Parkade's own list: 0.204 USD an hour.
    assert "m1 * 0.0034" in json.dumps(body)


def test_the_budget_is_told_by_mail(whole):
    told = whole.only(Title.MONITOR, "AWS::Budgets::Budget")
    assert told["Budget"]["BudgetLimit"]["Amount"] == 217.41
    (first, *_) = told["NotificationsWithSubscribers"]
    assert [each["Address"] for each in first["Subscribers"]] == [
        "ann@example.com",
        "bob@example.com",
    ]


# -- the tester -------------------------------------------------------------------------------


def _testers(assembly):
    return [
        each["Properties"]
        for each in assembly.resources(Title.TESTER, FUNCTION).values()
        if each["Properties"].get("Handler", "").endswith(".tester.handler")
    ]


def test_a_message_starts_a_function_for_each_client(whole):
    functions = _testers(whole)
    assert len(functions) == 3
    subscribed = whole.resources(Title.TESTER, "AWS::SNS::Subscription").values()
    assert {each["Properties"]["Protocol"] for each in subscribed} == {"lambda"}
    assert len({json.dumps(each["Properties"]["Endpoint"]) for each in subscribed}) == 3
    for each in functions:
        variables = each["Environment"]["Variables"]
        asked = json.loads(variables["PARKADE_TESTER"])
        assert (asked["route"], asked["clients"]) == ("/text", 1)
        assert asked["cases"].startswith("s3://cdk-hnb659fds-assets-")
        assert "schedule" not in asked
        assert variables["PARKADE_TESTED_ENDPOINT"] == "TextClassificationDemo-text"
        assert "apiurl" in json.dumps(variables["PARKADE_URL"])


def test_a_run_that_failed_or_waited_is_not_made_again(whole):
    settings = whole.resources(Title.TESTER, "AWS::Lambda::EventInvokeConfig").values()
    assert len(settings) == 3
    for each in settings:
        assert each["Properties"]["MaximumRetryAttempts"] == 0
        assert each["Properties"]["MaximumEventAgeInSeconds"] == 300


@pytest.mark.parametrize(
    ("clients", "shares"), [(1, [1]), (5, [1] * 5), (20, [1] * 20), (47, [3] * 7 + [2] * 13)]
)
def test_clients_are_shared_out_evenly(clients, shares):
    assert tester.shares(clients) == shares


def test_the_schedule_publishes_a_message_that_says_so(whole):
    schedule = whole.only(Title.TESTER, "AWS::Scheduler::Schedule")
    assert schedule["ScheduleExpression"] == "rate(5 minutes)"
    assert json.loads(schedule["Target"]["Input"]) == {"by": "schedule"}
    assert "DeadLetterConfig" in schedule["Target"]


def test_a_route_with_tokens_is_asked_with_one_that_may_invoke_its_endpoint_alone(whole):
    token = whole.only(Title.TESTER, "Custom::TesterToken")
    assert token["EndpointName"] == "TextClassificationDemo-text"
    (secret,) = whole.resources(Title.TESTER, "AWS::SecretsManager::Secret")
    assert token["Secret"] == {"Ref": secret}
    assert {
        json.dumps(each["Environment"]["Variables"]["PARKADE_TOKEN_SECRET"])
        for each in _testers(whole)
    } == {json.dumps({"Ref": secret})}


def test_an_endpoint_is_asked_by_its_name_and_without_a_token():
    text = f"{PLAIN}tester: {{endpoint: text, cases: {CASES}, clients: 1}}\n"
    assembly = synthesized(text)
    (function,) = _testers(assembly)
    variables = function["Environment"]["Variables"]
    assert variables["PARKADE_TESTED_ENDPOINT"] == "Shop-text"
    assert "PARKADE_URL" not in variables
    assert not assembly.resources(Title.TESTER, "AWS::SecretsManager::Secret")
    assert not assembly.resources(Title.TESTER, "AWS::Scheduler::Schedule")
    policies = json.dumps(assembly.resources(Title.TESTER, "AWS::IAM::Policy"))
    assert "sagemaker:InvokeEndpoint" in policies
    assert "endpoint/shop-text" in policies


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("duration_seconds: 900", "a run of 900 s is longer than a function lives"),
        ("token: {env: TOKEN}", "env:TOKEN would stand readable"),
    ],
)
def test_what_no_tester_of_aws_can_do_is_refused(more, words):
    text = (
        f"{PLAIN}routes: {{/text: {{endpoint: text}}}}\n"
        f"tester: {{route: /text, cases: {CASES}, {more}}}\n"
    )
    wanted = estate(text)
    with pytest.raises(InvalidInput, match=re.escape(words)):
        assembled(wanted)


# -- the pipeline -----------------------------------------------------------------------------


def _steps(assembly):
    return {
        name.rstrip("0123456789ABCDEF"): yaml.safe_load(each["Properties"]["Source"]["BuildSpec"])
        for name, each in assembly.resources(Title.PIPELINE, PROJECT).items()
    }


def test_the_pipeline_takes_tests_deploys_tries_and_goes_back_where_that_fails(whole):
    told = whole.only(Title.PIPELINE, "AWS::CodePipeline::Pipeline")
    assert told["PipelineType"] == "V2"
    assert [each["Name"] for each in told["Stages"]] == ["Source", "Test", "Deliver"]
    source, _, deliver = told["Stages"]
    (action,) = source["Actions"]
    assert action["Configuration"]["FullRepositoryId"] == "acme/shop"
    assert [each["Name"] for each in deliver["Actions"]] == ["Deploy", "Try"]
    assert deliver["OnFailure"] == {"Result": "ROLLBACK"}


def test_steps_run_the_projects_own_commands(whole):
    steps = _steps(whole)
    test = steps["Test"]["phases"]["build"]["commands"]
    assert test == [
        "parkade model test models/model-a",
        "parkade cloud synth --file parkade.yaml --stage Demo",
    ]
    (deploy,) = steps["Deploy"]["phases"]["build"]["commands"]
    assert deploy.startswith("parkade cloud deploy TextClassificationDemo-MeterStack ")
    assert deploy.endswith(" --file parkade.yaml --stage Demo --yes")
    assert "CICDPipelineStack" not in deploy, "who may change the pipeline is a person"


@pytest.mark.parametrize("passed", [True, False])
def test_the_verdict_of_a_tester_is_the_steps(whole, tmp_path, passed):
    import shlex
    import subprocess

    *_, verdict = _steps(whole)["Try"]["phases"]["build"]["commands"]
    report = {"passed": passed, "summary": "3 calls"}
    (tmp_path / "report.json").write_text(json.dumps(report))
    done = subprocess.run(
        shlex.split(verdict), cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode == 0) is passed
    assert done.stdout == "3 calls\n"


def test_a_step_may_no_more_than_it_needs(whole):
    text = json.dumps(whole.resources(Title.PIPELINE, "AWS::IAM::Policy"))
    assert "iam:" not in re.findall(r'"(\w+:)\*"', text)
    assert '"*"' not in text
    assumed = re.findall(r":role/cdk-hnb659fds-[^\"]*", text)
    assert len(assumed) == 1
    assert assumed[0] == ":role/cdk-hnb659fds-*-role-123456789012-us-east-1"


@pytest.mark.parametrize(
    ("source", "provider"),
    [
        ("{repository: ShopRepository, branch: trunk}", "CodeCommit"),
        ("{bucket: shop-sources, key: shop.zip, tester: false}", "S3"),
    ],
)
def test_other_sources(source, provider):
    assembly = synthesized(f"{PLAIN}pipeline: {source}\n")
    told = assembly.only(Title.PIPELINE, "AWS::CodePipeline::Pipeline")
    first, *_, last = told["Stages"]
    assert first["Actions"][0]["ActionTypeId"]["Provider"] == provider
    assert [each["Name"] for each in last["Actions"]] == ["Deploy"]


def test_a_profile_of_this_machine_is_none_of_the_pipelines():
    wanted = estate(f"{PLAIN}profile: mine\npipeline: {{repository: Shop}}\n")
    with pytest.raises(InvalidInput, match="a pipeline has none"):
        assembled(wanted)


def test_models_outside_of_the_repository_are_refused(tmp_path):
    folder = tmp_path / "model" / "code"
    folder.mkdir(parents=True)
    (folder / "inference.py").write_text("")
    text = f"""
project: Shop
models: {{m: {{source: {tmp_path / "model"}, image: {IMAGE}}}}}
pipeline: {{repository: Shop, test: [m]}}
"""
    with pytest.raises(InvalidInput, match=r"'m' is outside of the folder of parkade\.yaml"):
        pipeline.tested_folders(estate(text))


# -- the maintainer and the deployer ----------------------------------------------------------


def test_the_maintainer_hears_of_endpoints_of_its_own_alarms_and_of_each_day(whole):
    rules = [each["Properties"] for each in whole.resources(Title.MAINTAINER, RULE).values()]
    patterns = {
        each["EventPattern"]["detail-type"][0]: each["EventPattern"]
        for each in rules
        if "EventPattern" in each
    }
    alarms = patterns["CloudWatch Alarm State Change"]
    assert alarms["detail"] == {"alarmName": [{"prefix": PREFIX}]}
    endpoints = patterns["SageMaker Endpoint State Change"]
    assert "IN_SERVICE" not in endpoints["detail"]["EndpointStatus"][0]["anything-but"]
    assert [each["ScheduleExpression"] for each in rules if "ScheduleExpression" in each] == [
        "rate(1 day)"
    ]
    for each in rules:
        (target,) = each["Targets"]
        assert "DeadLetterConfig" in target
        assert "Maintainer" in json.dumps(target["Arn"])


@pytest.mark.parametrize(
    ("title", "definition"), [(Title.MAINTAINER, "maintainer"), (Title.DEPLOYER, "deployer")]
)
def test_machines_are_the_packaged_files_with_every_placeholder_filled(whole, title, definition):
    told = whole.only(title, "AWS::StepFunctions::StateMachine")
    text = told["DefinitionString"]
    assert json.loads(text) == json.loads(machines.text(definition))
    wanted = set(re.findall(r"\$\{(\w+)\}", text))
    assert wanted
    assert wanted == set(told["DefinitionSubstitutions"])


def test_the_deployers_machine_has_the_name_that_people_look_for(whole):
    told = whole.only(Title.DEPLOYER, "AWS::StepFunctions::StateMachine")
    assert (
        told["StateMachineName"]
        == "TextClassificationDemo-AutoScalingModelEndpointDeploymentStateMachine"
    )
