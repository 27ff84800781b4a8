"""The meter's stack, as it is synthesized."""

import json

import pytest

from parkade.adapters.aws.dynamodb import shape
from parkade.infra.constructs import machines
from parkade.infra.naming import Title
from tests.infra.synthesizing import synthesized

#: What keeping the scaling of an endpoint, and putting it on again, needs of Application Auto Scaling.
_SCALING = {
    "application-autoscaling:DescribeScalableTargets",
    "application-autoscaling:DescribeScalingPolicies",
    "application-autoscaling:DescribeScheduledActions",
    "application-autoscaling:DeregisterScalableTarget",
    "application-autoscaling:PutScalingPolicy",
    "application-autoscaling:PutScheduledAction",
    "application-autoscaling:RegisterScalableTarget",
}
_TOLD = ("AttributeDefinitions", "KeySchema", "BillingMode", "GlobalSecondaryIndexes")


def _sorted(told):
    return {
        name: sorted(value, key=str) if name == "AttributeDefinitions" else value
        for name, value in told.items()
    }


def test_the_table_is_the_one_that_the_stores_read_and_write():
    table = synthesized().only(Title.METER, "AWS::DynamoDB::Table")
    assert _sorted({name: table[name] for name in _TOLD}) == _sorted(shape.MAIN.description())
    assert table["TimeToLiveSpecification"] == {
        "AttributeName": shape.MAIN.goes_at,
        "Enabled": True,
    }


def test_the_table_is_encrypted_and_restorable_and_survives_its_stack():
    (table,) = synthesized().resources(Title.METER, "AWS::DynamoDB::Table").values()
    assert table["Properties"]["SSESpecification"] == {"SSEEnabled": True}
    recovery = table["Properties"]["PointInTimeRecoverySpecification"]
    assert recovery == {"PointInTimeRecoveryEnabled": True}
    assert table["DeletionPolicy"] == "Retain"
    (gone,) = synthesized(retains=False).resources(Title.METER, "AWS::DynamoDB::Table").values()
    assert gone["DeletionPolicy"] == "Delete"


def _functions():
    return synthesized().resources(Title.METER, "AWS::Lambda::Function")


def _function(handler):
    (found,) = [
        (name, each)
        for name, each in _functions().items()
        if each["Properties"]["Handler"] == f"parkade.apps.lambdas.{handler}.handler"
    ]
    return found


def _statements(handler):
    """Return what the role of a function may do, as (action, resource) pairs."""
    _, function = _function(handler)
    role = function["Properties"]["Role"]["Fn::GetAtt"][0]
    found = []
    for policy in synthesized().resources(Title.METER, "AWS::IAM::Policy").values():
        if {"Ref": role} not in policy["Properties"]["Roles"]:
            continue
        for each in policy["Properties"]["PolicyDocument"]["Statement"]:
            actions = each["Action"] if isinstance(each["Action"], list) else [each["Action"]]
            resources = (
                each["Resource"] if isinstance(each["Resource"], list) else [each["Resource"]]
            )
            found += [(action, json.dumps(one)) for action in actions for one in resources]
    return found


def test_one_sweep_runs_at_a_time_and_is_called_every_minute():
    name, sweep = _function("sweep")
    assert sweep["Properties"]["ReservedConcurrentExecutions"] == 1
    rule = synthesized().only(Title.METER, "AWS::Events::Rule")
    assert rule["ScheduleExpression"] == "rate(1 minute)"
    (target,) = rule["Targets"]
    assert target["Arn"] == {"Fn::GetAtt": [name, "Arn"]}
    assert target["DeadLetterConfig"]["Arn"]
    assert sweep["Properties"]["DeadLetterConfig"]["TargetArn"]


def test_sweeps_that_could_not_be_made_do_not_pile_up():
    settings = synthesized().only(Title.METER, "AWS::Lambda::EventInvokeConfig")
    assert settings["FunctionName"] == {"Ref": _function("sweep")[0]}
    # The next minute's sweep does all that a former one did not.
    assert settings["MaximumRetryAttempts"] == 0
    assert settings["MaximumEventAgeInSeconds"] == 300


def test_the_sweep_may_start_and_stop_endpoints_and_invoke_itself():
    may = _statements("sweep")
    actions = {action for action, _ in may}
    assert {"sagemaker:CreateEndpoint", "sagemaker:DeleteEndpoint"} <= actions
    assert {"states:StartExecution", "sagemaker:ListEndpoints"} <= actions
    for action, resource in may:
        if action == "sagemaker:DeleteEndpoint":
            assert ":endpoint/*" in resource
        if action == "lambda:InvokeFunction":
            assert _function("sweep")[0] in resource


@pytest.mark.parametrize("handler", ["ending", "leasing"])
def test_who_only_stops_endpoints_may_start_none(handler):
    may = dict(_statements(handler))
    assert may.keys() >= {
        "application-autoscaling:DeregisterScalableTarget",
        "application-autoscaling:DescribeScalableTargets",
        "cloudwatch:DeleteAlarms",
        "sagemaker:DeleteEndpoint",
        "sagemaker:DeleteInferenceComponent",
        "sagemaker:DescribeInferenceComponent",
        "sagemaker:ListInferenceComponents",
    }
    assert not may.keys() & {
        "application-autoscaling:RegisterScalableTarget",
        "cloudwatch:PutMetricAlarm",
        "sagemaker:CreateEndpoint",
        "sagemaker:CreateInferenceComponent",
    }


def test_an_endpoint_is_updated_to_a_config_that_has_to_be_allowed_as_well():
    reached = [on for action, on in _statements("leasing") if action == "sagemaker:UpdateEndpoint"]
    assert [":endpoint/*" in reached[0], ":endpoint-config/*" in reached[1]] == [True, True]


@pytest.mark.parametrize("handler", ["sweep", "timer"])
def test_who_stops_endpoints_may_keep_what_goes_with_them_and_make_it_again(handler):
    may = dict(_statements(handler))
    assert may.keys() >= _SCALING | {
        "cloudwatch:DescribeAlarms",
        "iam:CreateServiceLinkedRole",
        "sagemaker:CreateInferenceComponent",
        "sagemaker:DeleteInferenceComponent",
        "sagemaker:DescribeInferenceComponent",
        "sagemaker:ListInferenceComponents",
        "sagemaker:UpdateEndpointWeightsAndCapacities",
    }
    # What Application Auto Scaling asks its callers for: the alarms of policies, and no others.
    assert ":alarm:TargetTracking-*" in may["cloudwatch:PutMetricAlarm"]
    assert ":alarm:TargetTracking-*" in may["cloudwatch:DeleteAlarms"]


def test_nothing_but_what_has_no_name_is_allowed_on_everything():
    everywhere = {
        action
        for handler in ("sweep", "timer", "ending", "leasing")
        for action, resource in _statements(handler)
        if resource == '"*"'
    }
    assert everywhere <= _SCALING | {
        "cloudwatch:DescribeAlarms",
        "cloudwatch:GetMetricData",
        "sagemaker:ListEndpoints",
        "sagemaker:ListInferenceComponents",
        "tag:GetResources",
        "xray:PutTelemetryRecords",
        "xray:PutTraceSegments",
    }


def test_the_timer_is_the_machine_of_the_package_and_its_arn_is_what_functions_are_told():
    machine = synthesized().only(Title.METER, "AWS::StepFunctions::StateMachine")
    assert json.loads(machine["DefinitionString"]) == json.loads(machines.text("meter-timer"))
    assert machine["DefinitionSubstitutions"] == {
        "TimerFunction": {"Fn::GetAtt": [_function("timer")[0], "Arn"]}
    }
    told = _function("sweep")[1]["Properties"]["Environment"]["Variables"]["PARKADE_TIMER"]
    assert told["Fn::Join"][1][-1] == f":stateMachine:{machine['StateMachineName']}"


def test_events_that_are_written_down_are_told_and_nothing_else_of_the_table():
    mapping = synthesized().only(Title.METER, "AWS::Lambda::EventSourceMapping")
    (pattern,) = mapping["FilterCriteria"]["Filters"]
    assert json.loads(pattern["Pattern"]) == {
        "eventName": ["INSERT"],
        "dynamodb": {"NewImage": {"pk": {"S": ["event"]}}},
    }
    assert mapping["FunctionName"] == {"Ref": _function("notices")[0]}
    assert mapping["DestinationConfig"]["OnFailure"]["Destination"]
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_when_the_stack_goes_its_leases_are_ended_before_anything_else_goes():
    (resource,) = synthesized().resources(Title.METER, "Custom::ParkadeAllLeases").values()
    name, _ = _function("ending")
    assert resource["Properties"]["ServiceToken"] == {"Fn::GetAtt": [name, "Arn"]}
    # What depends on something is deleted before it.
    needs = set(resource["DependsOn"])
    policies = synthesized().resources(Title.METER, "AWS::IAM::Policy")
    assert any(each.startswith("EndingRole") for each in needs & set(policies))
    assert {name, _function("sweep")[0]} <= needs
    # People are told of it: the stream is read, and its reader may tell, until all are ended.
    assert _function("notices")[0] in needs
    assert set(synthesized().resources(Title.METER, "AWS::Lambda::EventSourceMapping")) <= needs
    assert any(each.startswith("TellRole") for each in needs & set(policies))


def test_a_machines_role_is_for_machines_of_this_account_alone():
    roles = synthesized().resources(Title.METER, "AWS::IAM::Role").values()
    (trust,) = [
        statement
        for role in roles
        for statement in role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        if statement["Principal"] == {"Service": "states.amazonaws.com"}
    ]
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def test_the_topic_is_encrypted_with_a_key_that_alarms_may_use():
    topic = synthesized().only(Title.METER, "AWS::SNS::Topic")
    assert topic["KmsMasterKeyId"]
    policy = synthesized().only(Title.METER, "AWS::KMS::Key")["KeyPolicy"]["Statement"]
    services = {
        service
        for each in policy
        for service in (
            each["Principal"].get("Service", []) if isinstance(each["Principal"], dict) else []
        )
    }
    assert "cloudwatch.amazonaws.com" in services
    # EventBridge names no account where it uses the key of a topic: a condition would shut it out.
    (rules,) = [each for each in policy if each.get("Sid") == "Rules"]
    assert rules["Principal"] == {"Service": "events.amazonaws.com"}
    assert "Condition" not in rules
    (through,) = [each for each in policy if each.get("Sid") == "ThroughTopics"]
    assert set(through["Condition"]["StringEquals"]) == {"kms:CallerAccount", "kms:ViaService"}
