"""The limits of models, configs and variants."""

import math

import pytest

from parkade.domain.errors import InvalidInput
from tests.builders import a_config, a_model, a_variant


@pytest.mark.parametrize(
    ("build", "changes", "field"),
    [
        (a_model, {"name": "a_b"}, "ModelName"),
        (a_model, {"image": ""}, "Image"),
        (a_model, {"image": "a b"}, "Image"),
        (a_model, {"image": "a" * 256}, "Image"),
        (a_model, {"data_url": "https://example.com/model.tar.gz"}, "ModelDataUrl"),
        (a_model, {"environment": {"1A": "x"}}, "Environment"),
        (a_model, {"environment": {"A B": "x"}}, "Environment"),
        (a_model, {"environment": {"A": "x" * 1025}}, "Environment"),
        (a_model, {"environment": {"A" * 1025: "x"}}, "Environment"),
        (a_model, {"environment": {"A": "x\0y"}}, "Environment"),
        (a_model, {"environment": {f"K{n}": "" for n in range(101)}}, "Environment"),
        (a_variant, {"name": "a.b"}, "VariantName"),
        (a_variant, {"model_name": "-"}, "ModelName"),
        (a_variant, {"instance_type": "c5.xlarge"}, "InstanceType"),
        (a_variant, {"instance_count": 0}, "InitialInstanceCount"),
        (a_variant, {"instance_count": True}, "InitialInstanceCount"),
        (a_variant, {"weight": -0.1}, "InitialVariantWeight"),
        (a_variant, {"weight": math.nan}, "InitialVariantWeight"),
        (a_variant, {"weight": math.inf}, "InitialVariantWeight"),
        (a_config, {"name": "a b"}, "EndpointConfigName"),
        (a_config, {"variants": ()}, "ProductionVariants"),
        (a_config, {"variants": (a_variant(), a_variant())}, "ProductionVariants"),
        (
            a_config,
            {"variants": tuple(a_variant(f"v{n}") for n in range(11))},
            "ProductionVariants",
        ),
        (a_config, {"variants": (a_variant(weight=0),)}, "InitialVariantWeight"),
    ],
)
def test_what_is_over_its_limit_is_refused_by_the_name_of_its_field(build, changes, field):
    with pytest.raises(InvalidInput) as refusal:
        build(**changes)
    assert refusal.value.field == field


def test_the_limits_themselves_are_allowed():
    a_model("m" * 63, image="i" * 255, environment={f"K{n}": "v" * 1024 for n in range(100)})
    a_model(data_url="")
    a_config(variants=tuple(a_variant(f"v{n}", weight=n) for n in range(10)))
    a_variant(instance_type="ml.inf2.48xlarge", instance_count=64)
