"""Parts of a project in CloudFormation's words."""

from __future__ import annotations

from decimal import Decimal

import pytest

from parkade.apps.projectfile.limits import BudgetSetting
from parkade.domain.dashboard.subject import Subject, Watched
from parkade.domain.errors import InvalidInput
from parkade.domain.price import Machine
from parkade.domain.project.part import Kind, Part
from parkade.domain.series import Series
from parkade.infra.properties import budgets, dashboards, models, scaling, widgets
from parkade.infra.properties.endpoints import Described
from parkade.infra.properties.widgets import Chart, Plotted, Shelf

ROLE = "arn:aws:iam::123456789012:role/models"


def _model(**content):
    part = Part(kind=Kind.MODEL, name="demo-a-0123456789", key="a", content=content)
    return models.properties(part, ROLE, {"team": "nlp"})


def _endpoint(name="demo-text", **content):
    told = {
        "endpointName": name,
        "keepsCounts": False,
        "metered": False,
        "productionVariants": [
            {"VariantName": "A", "ModelName": "demo-a-1", "InstanceType": "ml.c5.xlarge"}
        ],
        **content,
    }
    return Described(Part(kind=Kind.ENDPOINT, name=name, key="text", content=told))


def test_a_model_has_its_image_data_environment_role_and_tags():
    assert _model(image="img", data_url="s3://b/k.tar.gz", environment={"LEVEL": "info"}) == {
        "ModelName": "demo-a-0123456789",
        "ExecutionRoleArn": ROLE,
        "PrimaryContainer": {
            "Image": "img",
            "ModelDataUrl": "s3://b/k.tar.gz",
            "Environment": {"LEVEL": "info"},
        },
        "Tags": [{"Key": "team", "Value": "nlp"}],
    }


def test_many_models_in_one_container_say_whether_they_stay_loaded():
    container = _model(image="img", data_url="s3://b/p/", multi_model=True, caches=False)
    assert container["PrimaryContainer"]["Mode"] == "MultiModel"
    assert container["PrimaryContainer"]["MultiModelConfig"] == {"ModelCacheSetting": "Disabled"}


def test_containers_in_series_and_a_package_take_the_place_of_an_image():
    series = _model(containers=[{"image": "one", "hostname": "first"}, {"image": "two"}])
    assert series["Containers"] == [
        {"Image": "one", "ContainerHostname": "first"},
        {"Image": "two"},
    ]
    assert series["InferenceExecutionConfig"] == {"Mode": "Serial"}
    direct = _model(containers=[{"image": "one"}, {"image": "two"}], direct=True)
    assert direct["InferenceExecutionConfig"] == {"Mode": "Direct"}
    arn = "arn:aws:sagemaker:us-east-1:123456789012:model-package/x/1"
    assert _model(image="", package=arn)["PrimaryContainer"] == {"ModelPackageName": arn}


def test_a_model_without_an_image_is_refused_by_its_key():
    with pytest.raises(InvalidInput, match="model 'a' has no image"):
        _model(image="")


def test_a_config_is_called_by_its_content_and_by_nothing_else():
    one = _endpoint()
    assert one.config_name == _endpoint().config_name
    assert one.config_name.startswith("demo-text-")
    weighed = _endpoint(
        productionVariants=[
            {
                "VariantName": "A",
                "ModelName": "demo-a-2",
                "InstanceType": "ml.c5.xlarge",
            }
        ]
    )
    assert weighed.config_name != one.config_name
    assert _endpoint(tags={"team": "nlp"}).config_name == one.config_name
    assert len(_endpoint(name="d" * 63).config_name) <= 63


def test_who_makes_the_endpoint_follows_from_the_lease():
    assert _endpoint().stands
    assert not _endpoint(deploy=False).stands
    paid = _endpoint(metered=True, minutes=30)
    assert paid.metered
    assert not paid.stands


def test_capture_and_asynchronous_answers_are_told_with_where_they_go():
    captured = _endpoint(
        DataCaptureConfig={
            "InitialSamplingPercentage": 10,
            "DestinationS3Uri": "s3://captured/text",
            "CaptureContentTypeHeader": {"JsonContentTypes": ["application/json"]},
        }
    )
    told = captured.config()["DataCaptureConfig"]
    assert told["CaptureOptions"] == [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}]
    assert told["CaptureContentTypeHeader"] == {"JsonContentTypes": ["application/json"]}
    assert list(captured.written_to()) == [("captured", "text/")]
    later = _endpoint(
        AsyncInferenceConfig={
            "OutputConfig": {"S3OutputPath": "s3://answers/a", "S3FailurePath": "s3://answers/f"}
        }
    )
    assert later.asynchronous
    assert list(later.written_to()) == [("answers", "a/"), ("answers", "f/")]


@pytest.mark.parametrize(
    ("strategy", "told"),
    [
        ({"kind": "all_at_once"}, None),
        (
            {"kind": "linear", "percent": 25, "waitSeconds": 60, "alarms": ["slow"]},
            {
                "BlueGreenUpdatePolicy": {
                    "TrafficRoutingConfiguration": {
                        "Type": "LINEAR",
                        "WaitIntervalInSeconds": 60,
                        "LinearStepSize": {"Type": "CAPACITY_PERCENT", "Value": 25},
                    },
                    "TerminationWaitInSeconds": 0,
                },
                "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "slow"}]},
            },
        ),
        (
            {"kind": "rolling", "instances": 1, "waitSeconds": 60},
            {
                "RollingUpdatePolicy": {
                    "MaximumBatchSize": {"Type": "INSTANCE_COUNT", "Value": 1},
                    "WaitIntervalInSeconds": 60,
                }
            },
        ),
    ],
)
def test_a_strategy_is_the_endpoints_deployment_config(strategy, told):
    assert _endpoint(strategy=strategy).endpoint().get("DeploymentConfig") == told


_SCALED = {
    "A": {
        "autoscalingMinCapacity": 2,
        "autoscalingMaxCapacity": 4,
        "targetTrackingScalingPolicyConfiguration": {
            "TargetValue": 70,
            "PredefinedMetricSpecification": {
                "PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"
            },
        },
    }
}


def test_each_variant_that_is_scaled_has_a_target_and_a_policy():
    (found,) = scaling.scaled(_endpoint(scaling=_SCALED))
    assert found.target == {
        "ResourceId": "endpoint/demo-text/variant/A",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
        "ServiceNamespace": "sagemaker",
        "MinCapacity": 2,
        "MaxCapacity": 4,
    }
    assert found.policy["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] == 70
    assert list(scaling.scaled(_endpoint())) == []


def test_what_scales_begins_within_its_bounds_and_keeps_its_instances_through_an_update():
    scaled = _endpoint(scaling=_SCALED)
    assert scaled.config()["ProductionVariants"][0]["InitialInstanceCount"] == 2
    assert scaled.endpoint()["RetainAllVariantProperties"] is True
    kinds = {
        each["VariantPropertyType"]
        for each in scaled.endpoint()["ExcludeRetainedVariantProperties"]
    }
    assert kinds == {"DesiredWeight", "DataCaptureConfig"}
    assert "RetainAllVariantProperties" not in _endpoint().endpoint()


@pytest.mark.parametrize(
    ("per", "unit", "amount", "kinds"),
    [
        ("day", "DAILY", 70, ["ACTUAL", "ACTUAL"]),
        ("week", "MONTHLY", 304.38, ["ACTUAL", "ACTUAL", "FORECASTED"]),
        ("month", "MONTHLY", 70, ["ACTUAL", "ACTUAL", "FORECASTED"]),
    ],
)
def test_a_budget_of_aws_is_of_the_projects_tag(per, unit, amount, kinds):
    setting = BudgetSetting(amount=70, per=per)
    told = budgets.properties("Demo", setting, ["ann@example.com"])
    assert told["Budget"]["TimeUnit"] == unit
    assert told["Budget"]["BudgetLimit"] == {"Amount": amount, "Unit": "USD"}
    assert told["Budget"]["CostFilters"] == {"TagKeyValue": ["user:parkade:project$Demo"]}
    listed = told["NotificationsWithSubscribers"]
    assert [each["Notification"]["NotificationType"] for each in listed] == kinds
    assert budgets.properties("Demo", setting, [])["NotificationsWithSubscribers"] == []


def test_a_budget_that_tells_others_is_another_one():
    """CloudFormation replaces it: of one name, the new one could not be made beside the former."""

    def name(amount, *addresses):
        setting = BudgetSetting(amount=amount, per="month")
        return budgets.properties("Demo", setting, addresses)["Budget"]["BudgetName"]

    assert name(50, "ann@example.com") == name(60, "ann@example.com")
    assert name(50, "ann@example.com") != name(50, "bob@example.com")


SUBJECT = Subject(
    prefix="Demo",
    project="Demo",
    routes=("/text",),
    endpoints=(Watched(name="Demo-text", variants=("A", "B")),),
    tested="Route",
)


def _charts(shelves):
    body = widgets.body(shelves, region="us-east-1")
    return {
        each["properties"]["title"]: each["properties"]
        for each in body["widgets"]
        if each["type"] == "metric"
    }


def test_latencies_of_models_are_told_as_microseconds_and_those_of_routes_as_milliseconds():
    charts = _charts(dashboards.watched(SUBJECT))
    assert charts["Model latency"]["yAxis"]["left"]["label"] == "microseconds"
    assert charts["Latency"]["yAxis"]["left"]["label"] == "milliseconds"
    assert charts["Model latency"]["metrics"][0] == [
        "AWS/SageMaker", "ModelLatency", "EndpointName", "Demo-text", "VariantName", "A",
        {"stat": "p50", "period": 60, "label": "A p50"},
    ]  # fmt: skip


def test_functions_are_those_that_there_are_when_somebody_looks():
    charts = _charts(dashboards.watched(SUBJECT))
    found = [each[0]["expression"] for each in charts["Errors and throttles"]["metrics"]]
    assert found == [
        "SEARCH('{AWS/Lambda,FunctionName} MetricName=\"Errors\" FunctionName=Demo', 'Sum', 60)",
        "SEARCH('{AWS/Lambda,FunctionName} MetricName=\"Throttles\" FunctionName=Demo', 'Sum', 60)",
    ]


def test_money_is_what_reported_times_its_price_and_what_has_none_is_named():
    machines = {
        "Demo-text": [
            Machine(variant_name="A", instance_type="ml.c5.xlarge", count=1),
            Machine(variant_name="B", instance_type="ml.odd.large", count=1),
        ]
    }
    shelves = dashboards.watched(
        SUBJECT, machines=machines, prices={"ml.c5.xlarge": Decimal("0.204")}
    )
    chart = _charts(shelves)["Instances by the hour"]
    measured, sum_ = chart["metrics"]
    assert chart["period"] == 3600
    assert measured[-1] == {"stat": "SampleCount", "period": 3600, "id": "m1", "visible": False}
    # 60 samples of one instance in an hour are its price.
    assert sum_[0]["expression"] == "m1 * 0.0034"
    assert pytest.approx(0.204) == 60 * 0.0034
    assert "ml.odd.large" in next(each.about for each in shelves if each.heading == "Money")


def test_the_tester_has_a_dashboard_of_its_own():
    assert set(_charts(dashboards.of_tester(SUBJECT))) >= {"Response time", "Tests", "Statuses"}
    assert "Tests" not in _charts(dashboards.watched(SUBJECT))


def test_widgets_lie_side_by_side_and_none_over_another():
    body = widgets.body(dashboards.watched(SUBJECT), region="us-east-1", alarms=["arn:one"])
    taken = set()
    for each in body["widgets"]:
        assert each["x"] + each["width"] <= 24
        cells = {
            (x, y)
            for x in range(each["x"], each["x"] + each["width"])
            for y in range(each["y"], each["y"] + each["height"])
        }
        assert not cells & taken
        taken |= cells
    assert body["widgets"][0]["properties"] == {"title": "Alarms", "alarms": ["arn:one"]}


def test_more_than_a_dashboard_can_have_is_refused():
    line = Plotted(label="x", series=Series.of("N", "M"), statistic="Sum")
    crowded = Shelf(heading="H", charts=(Chart(title="T", axis="a", lines=(line,) * 501),))
    with pytest.raises(InvalidInput, match="501 lines in a widget; CloudWatch allows 500"):
        widgets.body([crowded], region="us-east-1")
    with pytest.raises(InvalidInput, match="widgets; CloudWatch allows 500"):
        widgets.body(
            [Shelf(heading="H", charts=(Chart(title="T", axis="a", lines=(line,)),) * 500)],
            region="us-east-1",
        )
