"""The monitor of a document as parts: alarms, and subscribers who hear of this project alone."""

import re
from pathlib import Path

import pytest
import yaml

from parkade.apps.projectfile import document
from parkade.apps.projectfile.layout import project_of
from parkade.domain import alarmforms
from parkade.domain.project.part import Kind
from parkade.domain.project.project import PROJECT_TAG
from parkade.services.alarms import check, words
from tests.builders import NOW

MANUAL = Path(__file__).parents[3] / "docs" / "dashboards.md"


def a_document(monitor, **changes):
    variants = [
        {"name": name, "model": "m", "type": "ml.c5.xlarge"} for name in ("Model-A", "Model-B")
    ]
    return {
        "project": "Shop",
        "stage": "Demo",
        "models": {"m": {"data": "s3://models/m.tar.gz", "image": "pytorch-inference"}},
        "endpoints": {
            "text": {"variants": variants},
            "image": {"variants": variants[:1]},
        },
        "routes": {"/text": {"endpoint": "text"}},
        "monitor": monitor,
        **changes,
    }


def parts(kind, monitor, **changes):
    project = project_of(document.read(a_document(monitor, **changes)))
    return {each.key: each for each in project.parts if each.kind is kind}


def said(part):
    """What an alarm watches, as a sentence."""
    alarm = alarmforms.alarm(part.name, part.content, NOW)
    check(alarm)
    return words(alarm)


def test_thresholds_without_numbers_are_the_seeds():
    found = parts(Kind.ALARM, {"thresholds": {}})
    assert [each.name for each in found.values()] == [
        "ShopDemo-overall-calls",
        "ShopDemo-errors-4xx",
        "ShopDemo-errors-5xx",
    ]
    assert [each.content["Threshold"] for each in found.values()] == [100, 20, 20]
    assert said(found["overall-calls"]) == (
        "Sum of AWS/ApiGateway Count ApiName=ShopDemo greater than or equal to 100 for "
        "1 of 1 periods of 60 s"
    )


def test_without_thresholds_there_are_none():
    assert parts(Kind.ALARM, {}) == {}
    found = parts(Kind.ALARM, {"thresholds": {"calls": None, "errors_5xx": 3, "periods": 2}})
    assert set(found) == {"errors-4xx", "errors-5xx"}
    assert "3 for 2 of 2 periods" in said(found["errors-5xx"])


def test_alarms_carry_the_tags_of_the_file_and_of_the_project():
    (part,) = parts(
        Kind.ALARM,
        {"alarms": {"slow": {"endpoint": "image", "metric": "ModelLatency", "above": 5e5}}},
        tags={"team": "nlp"},
    ).values()
    tags = {each["Key"]: each["Value"] for each in part.content["Tags"]}
    assert tags == {"team": "nlp", PROJECT_TAG: "ShopDemo"}
    assert said(part) == (
        "p99 of AWS/SageMaker ModelLatency EndpointName=ShopDemo-image VariantName=Model-A "
        "greater than 500000 for 1 of 1 periods of 60 s"
    )


def test_an_alarm_on_two_variants_watches_the_worst():
    (part,) = parts(
        Kind.ALARM,
        {
            "alarms": {
                "errors": {
                    "endpoint": "text",
                    "metric": "Invocation5XXErrors",
                    "at_least": 5,
                    "periods": 3,
                    "datapoints": 2,
                    "missing": "breaching",
                }
            }
        },
    ).values()
    assert said(part) == (
        "max of Sum Invocation5XXErrors of 2 series greater than or equal to 5 for "
        "2 of 3 periods of 60 s"
    )
    assert part.content["TreatMissingData"] == "breaching"


def test_an_alarm_on_a_route_is_on_that_route_alone():
    (part,) = parts(
        Kind.ALARM, {"alarms": {"late": {"route": "/text", "metric": "Latency", "above": 900}}}
    ).values()
    assert "Method=POST Resource=/text Stage=prod" in said(part)


ALARMS = {
    "slow": {"endpoint": "text", "metric": "ModelLatency", "above": 5e5},
    "hot": {"endpoint": "image", "metric": "CPUUtilization", "above": 90},
}


def test_an_address_hears_of_the_project_and_of_nothing_else():
    (part,) = parts(
        Kind.SUBSCRIBER,
        {"thresholds": {}, "alarms": ALARMS, "subscribers": ["ann@example.com"]},
    ).values()
    assert part.name == "ShopDemo-ann-at-example.com"
    assert part.content["to"] == ["ann@example.com"]
    assert part.content["endpoints"] == ["ShopDemo-image", "ShopDemo-text"]
    assert set(part.content["alarms"]) == {
        "ShopDemo-overall-calls",
        "ShopDemo-errors-4xx",
        "ShopDemo-errors-5xx",
        "ShopDemo-slow",
        "ShopDemo-hot",
    }
    assert part.content["alarm_states"] == ["ALARM"]
    assert part.content["projects"] == ["ShopDemo"]


def test_who_names_endpoints_hears_of_their_alarms_and_of_the_routes():
    (part,) = parts(
        Kind.SUBSCRIBER,
        {
            "thresholds": {"calls": None, "errors_4xx": None},
            "alarms": ALARMS,
            "subscribers": [
                {"name": "hook", "kind": "webhook", "url": "https://x.y/z", "endpoints": ["text"]}
            ],
        },
    ).values()
    assert part.content["alarms"] == ["ShopDemo-errors-5xx", "ShopDemo-slow"]
    assert part.content["endpoints"] == ["ShopDemo-text"]
    assert part.content["projects"] == ["ShopDemo"]


def test_secrets_come_from_their_references_and_are_marked():
    listener = {"name": "h", "kind": "webhook", "url": "https://x.y/z", "secret": {"env": "S"}}
    (part,) = parts(Kind.SUBSCRIBER, {"subscribers": [listener]}, secrets={"env:S": "s"}).values()
    assert part.content["secret"] == "s"
    assert {"url", "secret"} <= part.secret


@pytest.mark.parametrize("address", ["a" * 60 + "@example.com", "ann+tag@example.com", "ü@x.yz"])
def test_every_address_makes_a_name(address):
    (part,) = parts(Kind.SUBSCRIBER, {"subscribers": [address]}).values()
    assert len(part.name) <= 63
    assert part.name.isascii()


def test_a_budget_is_that_of_the_project_and_endpoints_are_paid_from_it():
    limits = {"budget": {"amount": 50}}
    (budget,) = parts(Kind.BUDGET, {}, limits=limits).values()
    assert (budget.name, float(budget.content["usd"])) == ("ShopDemo", 50)
    endpoints = parts(Kind.ENDPOINT, {}, limits=limits)
    assert {each.content["owner"] for each in endpoints.values()} == {"ShopDemo"}
    assert "owner" not in parts(Kind.ENDPOINT, {})["text"].content


def test_somebodys_budget_makes_nobody_an_owner():
    limits = {"budget": {"amount": 50, "owner": "ann"}}
    document = a_document({})
    document["endpoints"]["image"]["owner"] = "eve"
    endpoints = parts(Kind.ENDPOINT, {}, limits=limits, endpoints=document["endpoints"])
    assert "owner" not in endpoints["text"].content
    assert endpoints["image"].content["owner"] == "eve"
    (budget,) = parts(Kind.BUDGET, {}, limits=limits).values()
    assert budget.name == "ann"


def test_the_manuals_example_can_be_applied():
    (example,) = re.findall(r"```yaml\n(.*?)```", MANUAL.read_text(), re.DOTALL)
    told = yaml.safe_load(example)
    hidden = {"env:HOOK_URL": "https://x.y/z", "env:HOOK_SECRET": "whsec_" + "A" * 32}
    given = {"limits": told["limits"], "secrets": hidden}
    sentences = [said(part) for part in parts(Kind.ALARM, told["monitor"], **given).values()]
    assert len(sentences) == 6
    assert any(each.startswith("max of p99 ModelLatency of 2 series") for each in sentences)
    assert set(parts(Kind.SUBSCRIBER, told["monitor"], **given)) == {"ann@example.com", "hook"}
