"""The config of a deployment: its name comes of its content."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkade.domain import names
from parkade.domain.blueprint import Blueprint
from parkade.domain.catalog import Asynchronous, Capture, Variant
from parkade.domain.deploy import naming, payload
from parkade.domain.errors import InvalidInput
from tests.builders import NOW, a_config, a_model, minutes

MODEL = a_model("m")


def an_order(name="falcon", **keys):
    variants = [{"ModelName": "m", "InstanceType": "ml.a.b"}]
    return payload.read({"endpointName": name, "productionVariants": variants, **keys})


def wanted(order, former=None, models=(MODEL,), now=NOW):
    return naming.wanted_config(order, models, former, now)


def running(count, **changes):
    variant = Variant(
        name="AllTraffic", model_name="m", instance_type="ml.a.b", instance_count=count
    )
    return Blueprint(config=a_config("live", variants=(variant,), **changes), models=(MODEL,))


NAMES = st.from_regex(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}", fullmatch=True).filter(
    lambda name: len(name) <= names.NAME_LIMIT
)


@given(NAMES)
def test_a_name_is_one_and_begins_with_the_endpoints(name):
    config = wanted(an_order(name))
    assert len(config.name) <= names.NAME_LIMIT
    assert names.endpoint_name(config.name) == config.name
    stem = config.name.rsplit("-", 1)[0]
    assert name.startswith(stem)


def test_the_same_content_has_the_same_name_whenever_it_is_made():
    assert wanted(an_order()).name == wanted(an_order(), now=NOW + minutes(5)).name


def test_other_content_has_another_name():
    other = [{"ModelName": "m", "InstanceType": "ml.a.c"}]
    found = {
        wanted(an_order()).name,
        wanted(an_order(productionVariants=other)).name,
        wanted(an_order(), running(3)).name,
        wanted(
            an_order(), running(1, capture=Capture(destination="s3://bucket/prefix", percentage=5))
        ).name,
        wanted(an_order(), models=(replace(MODEL, created_at=NOW + minutes(1)),)).name,
    }
    assert len(found) == 5


@given(live=st.integers(1, 20), least=st.integers(1, 10), extra=st.integers(1, 10))
def test_a_live_count_is_kept_within_the_bounds(live, least, extra):
    order = an_order(autoscalingMinCapacity=least, autoscalingMaxCapacity=least + extra)
    (variant,) = wanted(order, running(live)).variants
    assert least <= variant.instance_count <= least + extra
    if least <= live <= least + extra:
        assert variant.instance_count == live


@given(live=st.integers(0, 20))
def test_a_count_is_the_ordered_one_where_that_is_said_and_nothing_scales_it(live):
    (variant,) = wanted(an_order(keepsCounts=False), running(live)).variants
    assert variant.instance_count == 1
    scaled = an_order(keepsCounts=False, autoscalingMinCapacity=1, autoscalingMaxCapacity=20)
    (variant,) = wanted(scaled, running(live)).variants
    assert variant.instance_count == max(1, live)
    unscaled = an_order(keepsCounts=False, scaling={"AllTraffic": None})
    (variant,) = wanted(unscaled, running(live)).variants
    assert variant.instance_count == 1


def test_an_asynchronous_endpoint_alone_scales_to_nothing():
    order = an_order(autoscalingMinCapacity=0, autoscalingMaxCapacity=4)
    with pytest.raises(InvalidInput, match="less than 1"):
        wanted(order, running(1))
    config = wanted(order, running(0, asynchronous=Asynchronous(output="s3://bucket/prefix")))
    assert [each.instance_count for each in config.variants] == [1]


def test_what_an_order_does_not_speak_of_stays():
    capture = Capture(destination="s3://bucket/prefix", percentage=20)
    former = running(1, capture=capture, extras={"KmsKeyId": "k"})
    config = wanted(an_order(), former)
    assert (config.capture, config.extras) == (capture, {"KmsKeyId": "k"})


def test_what_runs_already_is_known():
    config = wanted(an_order(), running(3))
    assert naming.runs(running(3), config, (MODEL,))
    assert not naming.runs(running(2), config, (MODEL,))
    assert not naming.runs(running(3), config, (replace(MODEL, created_at=NOW + minutes(1)),))
