"""What the stacks cost: what of a template is counted, and what follows from what was measured."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal

import pytest

from parkade.domain.errors import InvalidInput
from parkade.infra.costs import __main__ as command
from parkade.infra.costs import measured, page, prices, rest, running
from parkade.infra.costs.lines import MINUTES, SECONDS, line, total
from tests.infra import costpage
from tests.infra.synthesizing import estate, synthesized

PRICES = prices.packaged()


def counted(kind, properties=None, **beside):
    """What the one resource of a template counts as, by the names of prices."""
    resources = {"It": {"Type": kind, "Properties": properties or {}}, **beside}
    return {each.price: each.count for each in rest.of({"Resources": resources}).lines}


def of(kind, **properties):
    return {"Type": kind, "Properties": properties}


def test_the_page_is_made_of_the_templates():
    assert costpage.PATH.read_text(encoding="utf-8") == costpage.written(), "make docs"


@pytest.mark.parametrize("templates", [costpage.whole, costpage.least])
def test_every_type_of_the_stacks_is_counted_or_is_known_to_cost_nothing(templates):
    assert {title: rest.of(each).unknown for title, each in templates().items()} == dict.fromkeys(
        templates(), ()
    )


def test_the_schedule_of_a_tester_costs_by_its_use():
    assert rest.of({"Resources": {"It": of("AWS::Scheduler::Schedule")}}).unknown == ()


def test_what_nobody_has_thought_of_is_told_and_not_free():
    told = rest.of({"Resources": {"It": {"Type": "AWS::EC2::NatGateway"}}})
    assert told.unknown == ("AWS::EC2::NatGateway",)
    table = "\n".join(
        page.at_rest({"Mine": {"Resources": {"It": of("AWS::EC2::NatGateway")}}}, PRICES)
    )
    assert "not known: `AWS::EC2::NatGateway`" in table


@pytest.mark.parametrize(
    ("kind", "price"),
    [
        ("AWS::KMS::Key", "kms.key"),
        ("AWS::SecretsManager::Secret", "secrets.secret"),
        ("AWS::CloudWatch::CompositeAlarm", "cloudwatch.composite"),
        ("AWS::CloudWatch::Dashboard", "cloudwatch.dashboard"),
    ],
)
def test_each_of_them_counts_as_one(kind, price):
    assert counted(kind, More=of(kind)) == {price: 2}


def test_an_alarm_counts_by_the_metrics_that_it_reads():
    metrics = [
        {"Id": "a", "MetricStat": {}},
        {"Id": "b", "MetricStat": {}},
        {"Id": "c", "Expression": "a/b"},
    ]
    assert counted("AWS::CloudWatch::Alarm", {"Metrics": metrics}) == {"cloudwatch.alarm": 2}
    assert counted("AWS::CloudWatch::Alarm", {"MetricName": "Errors"}) == {"cloudwatch.alarm": 1}
    followed = {"PolicyType": "TargetTrackingScaling"}
    assert counted("AWS::ApplicationAutoScaling::ScalingPolicy", followed) == {
        "cloudwatch.alarm": 2
    }
    assert (
        counted("AWS::ApplicationAutoScaling::ScalingPolicy", {"PolicyType": "StepScaling"}) == {}
    )


def test_a_table_counts_what_can_be_restored_where_it_can_be():
    restorable = {"PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True}}
    stored = {"dynamodb.stored": rest.STORED}
    assert counted("AWS::DynamoDB::Table") == stored
    assert counted("AWS::DynamoDB::Table", restorable) == {
        **stored,
        "dynamodb.recovery": rest.STORED,
    }


def test_a_version_counts_its_snapshot_by_the_memory_of_its_function():
    function = of(
        "AWS::Lambda::Function", MemorySize=512, SnapStart={"ApplyOn": "PublishedVersions"}
    )
    version = {"FunctionName": {"Ref": "Function"}}
    assert counted("AWS::Lambda::Version", version, Function=function) == {
        "lambda.snapshot": Decimal(SECONDS) / 2
    }
    assert counted("AWS::Lambda::Version", version, Function=of("AWS::Lambda::Function")) == {}


@pytest.mark.parametrize("named", [{"Fn::GetAtt": ["Config", "EndpointConfigName"]}, "text-1"])
def test_endpoints_without_a_lease_tell_their_instances(named):
    variants = [
        {"InstanceType": "ml.c5.xlarge", "InitialInstanceCount": 2},
        {"ServerlessConfig": {"MemorySizeInMB": 1024}},
    ]
    config = of(
        "AWS::SageMaker::EndpointConfig",
        EndpointConfigName="text-1",
        ProductionVariants=variants,
        ShadowProductionVariants=[{"InstanceType": "ml.none"}],
    )
    endpoint = of("AWS::SageMaker::Endpoint", EndpointConfigName=named)
    template = {"Resources": {"Config": config, "Endpoint": endpoint}}
    assert rest.of(template).instances == {"ml.c5.xlarge": 2, "ml.none": 1}
    assert rest.of(template).lines == ()
    told = "\n".join(page.at_rest({"Serving": template}, PRICES))
    assert "1 x `ml.none`, unpriced" in told


def test_a_month_is_the_sweeps_and_what_endpoints_add():
    none, ten = (total(running.month(each), PRICES) for each in (measured.NONE, measured.TEN))
    assert none < ten
    hours = Decimal(10 * MINUTES) / 60
    sweeps = [each for each in running.endpoint_hours(float(hours)) if each.what == "sweeps"]
    assert abs(ten - none - total(sweeps, PRICES)) < Decimal("0.000001")


def test_a_lease_costs_its_states_and_twice_the_hours_are_twice_the_costs():
    assert running.transitions() == 4
    once, twice = running.endpoint_hours(1000), running.endpoint_hours(2000)
    (states,) = [each for each in once if each.price == "states.transition"]
    assert states.count == 4 * 1000 / Decimal(str(running.LEASE_HOURS))
    assert abs(total(twice, PRICES) - 2 * total(once, PRICES)) < Decimal("0.000001")


def test_prices_are_of_so_many():
    reads = line("cloudwatch.read", 2500)
    assert reads.cost(PRICES) == Decimal("0.025")
    dearer = replace(PRICES, every=(replace(PRICES["cloudwatch.read"], usd=Decimal("0.04")),))
    assert reads.cost(dearer) == Decimal("0.10")
    with pytest.raises(InvalidInput, match=r"no 'kms\.key'"):
        line("kms.key", 1).cost(dearer)


def test_no_price_says_that_it_was_looked_up_unless_it_was():
    rows = list(page.table(PRICES))
    assert len(rows) == 2 + len(PRICES.every)
    known = replace(PRICES["kms.key"], confirmed=True)
    assert list(page.table(replace(PRICES, every=(known,))))[-1].endswith("| yes |")


def test_the_stacks_of_an_assembly_are_told_at_prices_of_one_s_own(tmp_path, capsys):
    own = _table()
    own["prices"]["secrets.secret"]["usd"] = "1000.00"
    file = tmp_path / "prices.json"
    file.write_text(json.dumps(own))
    assert command.main([str(synthesized().folder), "--prices", str(file)]) == 0
    told = capsys.readouterr().out
    (meter,) = [each for each in told.splitlines() if each.startswith("| `Demo-MeterStack`")]
    assert meter.split(" | ")[1].startswith("1,00")
    assert "## 1,000 endpoint-hours" in told


@pytest.mark.parametrize(
    "spoil",
    [
        lambda told: told.pop("dated"),
        lambda told: told["prices"]["kms.key"].update(usd="dear"),
        lambda told: told["prices"]["kms.key"].pop("per"),
        lambda told: told.update(prices=[]),
    ],
)
def test_what_is_no_table_of_prices_is_told_by_its_name(spoil, tmp_path, capsys):
    own = _table()
    spoil(own)
    file = tmp_path / "mine.json"
    file.write_text(json.dumps(own))
    assert command.main([str(synthesized().folder), "--prices", str(file)]) == 1
    assert "mine.json is no table of unit prices" in capsys.readouterr().err


def test_a_folder_without_an_assembly_is_told_with_what_makes_one(tmp_path, capsys):
    assert command.main([str(tmp_path)]) == 1
    assert "parkade cloud synth" in capsys.readouterr().err


def test_the_memory_that_is_reckoned_with_is_that_of_the_functions():
    functions = synthesized().resources("MeterStack", "AWS::Lambda::Function").values()
    memory = {
        each["Properties"]["Handler"].split(".")[-2]: each["Properties"]["MemorySize"]
        for each in functions
    }
    assert memory["sweep"] == running.SWEEP_MEMORY * 1024
    assert {memory["timer"], memory["notices"]} == {running.MEMORY * 1024}
    assert estate().options.log_days == running.LOG_DAYS


def _table():
    return {
        "region": PRICES.region,
        "dated": str(PRICES.dated),
        "origin": PRICES.origin,
        "prices": {
            each.name: {
                "usd": str(each.usd),
                "per": each.per,
                "unit": each.unit,
                "monthly": each.monthly,
                "source": each.source,
                "confirmed": each.confirmed,
            }
            for each in PRICES.every
        },
    }
