"""What is left over of an endpoint: what nothing else uses."""

from parkade.domain.leftovers import left_over
from tests.builders import a_config, a_variant


def configs(*made):
    return {each.name: each for each in made}


def test_a_config_and_its_models_are_left_over_where_nothing_else_uses_them():
    two = a_config(
        "two", variants=(a_variant("a", model_name="one"), a_variant("b", model_name="other"))
    )
    left = left_over("two", configs(two), ())
    assert (left.configs, left.models) == (("two",), ("one", "other"))
    assert left.words == "endpoint config two, model one, model other"


def test_a_config_that_something_uses_is_not():
    assert left_over("falcon-config", configs(a_config()), {"falcon-config"}).words == ""


def test_a_model_of_another_config_is_not():
    left = left_over("falcon-config", configs(a_config(), a_config("other")), ())
    assert (left.configs, left.models) == (("falcon-config",), ())


def test_what_is_gone_leaves_nothing():
    assert left_over("falcon-config", {}, ()).words == ""
