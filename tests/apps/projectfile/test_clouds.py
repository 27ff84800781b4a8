"""Models that are on AWS alone: refused by name, left out with what refers to them, or played."""

import pytest

from parkade.apps.projectfile import clouds, document
from parkade.apps.projectfile.layout import project_of, project_on_aws
from parkade.domain.errors import InvalidInput

PACKAGE = "arn:aws:sagemaker:us-east-1:123456789012:model-package/x/1"


def body(**falcon):
    variants = {name: [{"model": name, "type": "ml.g5.12xlarge"}] for name in ("falcon", "own")}
    return {
        "project": "Demo",
        "models": {"falcon": falcon, "own": {"data": "s3://m/own.tar.gz", "image": "x"}},
        "endpoints": {
            "Falcon": {"variants": variants["falcon"]},
            "Own": {"variants": variants["own"]},
        },
        "routes": {"/falcon": {"endpoint": "Falcon"}, "/own": {"endpoint": "Own"}},
        "monitor": {
            "alarms": {
                "one": {"endpoint": "Falcon", "metric": "ModelLatency", "above": 1},
                "two": {"route": "/falcon", "metric": "Count", "above": 1},
                "three": {"route": "/own", "metric": "Count", "above": 1},
            }
        },
        "tester": {
            "route": "/falcon",
            "cases": [{"id": 1, "input": 1, "expected": 1}],
        },
    }


def names(given):
    return [str(each.ref) for each in project_of(document.read(given)).parts]


@pytest.mark.parametrize("model", [{"jumpstart": "huggingface-x"}, {"package": PACKAGE}])
def test_it_is_refused_by_name(model):
    (word,) = model
    with pytest.raises(InvalidInput, match=f"model 'falcon': {word} is on AWS alone.*embedded:"):
        project_of(document.read(body(**model)))


def test_left_out_it_takes_along_what_refers_to_it_and_says_so():
    given = body(jumpstart="huggingface-x", embedded=False)
    assert [name for name in names(given) if "own" not in name.lower()] == ["alarm Demo-three"]
    _, left = clouds.embedded(document.read(given))
    assert [str(each) for each in left] == [
        "model falcon: its jumpstart is on AWS alone",
        "endpoint Falcon: falcon is left out",
        "route /falcon: Falcon is left out",
        "alarm one: Falcon is left out",
        "alarm two: /falcon is left out",
        "tester: it tests /falcon",
    ]


def test_what_plays_it_is_served():
    given = body(jumpstart="huggingface-x", embedded={"data": "s3://m/f.tar.gz", "image": "y"})
    model = project_of(document.read(given)).parts[0]
    assert (model.content["image"], model.content["data_url"]) == ("y", "s3://m/f.tar.gz")
    assert "route /falcon" in names(given)
    assert clouds.embedded(document.read(given))[1] == ()


def test_the_document_keeps_what_is_for_aws():
    given = body(jumpstart="huggingface-x", embedded=False)
    assert project_of(document.read(given)).document == given


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ({"data": "s3://m/x.tar.gz", "image": "x", "embedded": False}, "embedded goes with"),
        ({"jumpstart": "x", "package": PACKAGE}, "exclude each other"),
        ({"jumpstart": "x", "data": "s3://m/x.tar.gz"}, "data does not go with jumpstart"),
        ({"jumpstart": "x", "embedded": True}, "true is none of False"),
    ],
)
def test_forms_that_do_not_go_together(model, message):
    with pytest.raises(InvalidInput, match=message):
        document.read(body(**model))


def test_executions_of_a_route_are_refused_on_one_machine_and_direct_routes_are_as_any_other():
    given = body(jumpstart="huggingface-x", embedded=False)
    given["routes"]["/own"]["kind"] = "direct"
    assert "route /own" in names(given)
    given["routes"]["/own"]["kind"] = "execution"
    with pytest.raises(InvalidInput, match="route /own: executions of its own are on AWS alone"):
        names(given)


def on_aws(given):
    given["models"]["own"]["image"] = "123456789012.dkr.ecr.us-east-1.amazonaws.com/own:1"
    return {each.name: each for each in project_on_aws(document.read(given)).parts}


@pytest.mark.parametrize("model", [{"jumpstart": "huggingface-x"}, {"package": PACKAGE}])
def test_on_aws_it_is_kept_with_all_that_refers_to_it(model):
    parts = on_aws(body(**model, embedded=False))
    (kept,) = [each for each in parts.values() if each.key == "falcon"]
    (word,) = model
    assert kept.content[word] == model[word]
    assert {"Demo-Falcon", "/falcon"} <= set(parts)


def test_a_secret_that_aws_keeps_is_a_reference_that_cloudformation_looks_up():
    arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:hub-AbCdEf"
    given = body(package=PACKAGE, environment={"TOKEN": {"aws_secret": arn}})
    (kept,) = [each for each in on_aws(given).values() if each.key == "falcon"]
    assert kept.content["environment"] == {"TOKEN": f"{{{{resolve:secretsmanager:{arn}}}}}"}


def test_terms_are_accepted_of_jumpstarts_models_alone():
    with pytest.raises(InvalidInput, match="accept_eula goes with jumpstart"):
        document.read(body(package=PACKAGE, accept_eula=True))
