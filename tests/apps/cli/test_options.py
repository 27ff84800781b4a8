"""How texts on the command line become values."""

from datetime import timedelta

import pytest

from parkade.apps.cli import options
from parkade.domain.errors import InvalidInput


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("30d", timedelta(days=30)),
        ("12h", timedelta(hours=12)),
        ("90m", timedelta(minutes=90)),
    ],
)
def test_a_lifetime_is_a_number_and_a_unit(text, duration):
    assert options.lifetime(text) == duration


@pytest.mark.parametrize("text", ["", "30", "d", "0d", "-1d", "1.5h", "30s", "1 d", "9999999d"])
def test_what_is_no_lifetime_is_refused_with_an_example(text):
    with pytest.raises(InvalidInput, match="not a duration") as refused:
        options.lifetime(text)
    assert "30d" in refused.value.hint


def test_a_variant_has_defaults_for_all_but_its_model():
    assert options.variant("model=falcon") == {
        "name": "AllTraffic",
        "model_name": "falcon",
        "instance_type": "ml.c5.xlarge",
        "instance_count": 1,
        "weight": 1.0,
    }


def test_a_variant_says_all_it_wants():
    text = "name=blue, model=falcon, weight=0.5, instances=3, type=ml.g5.2xlarge"
    assert options.variant(text) == {
        "name": "blue",
        "model_name": "falcon",
        "instance_type": "ml.g5.2xlarge",
        "instance_count": 3,
        "weight": 0.5,
    }


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("model=a,weigth=1", "unknown key 'weigth'", "did you mean 'weight'?"),
        ("model=a,colour=red", "unknown key 'colour'", "known are name, model"),
        ("model=a,model=b", "model is given twice", "once"),
        ("weight=1", "model is missing", "parkade model ls"),
        ("model", "model has no value", "model="),
        ("model=", "model has no value", "model="),
        ("model=a,", "unknown key ''", "known are"),
        ("model=a,weight=nan", "weight 'nan' is not a number", "weight=1"),
        ("model=a,weight=much", "weight 'much' is not a number", "weight=1"),
        ("model=a,instances=1.5", "instances '1.5' is not a whole number", "instances=1"),
    ],
)
def test_an_unusable_variant_is_refused_by_the_key_to_blame(text, message, hint):
    with pytest.raises(InvalidInput) as refused:
        options.variant(text)
    assert message in refused.value.message
    assert hint in refused.value.hint


def test_environment_values_may_contain_equals_signs():
    assert options.environment(["A=1", "B=x=y", "C="]) == {"A": "1", "B": "x=y", "C": ""}


@pytest.mark.parametrize("entry", ["A", "=1", ""])
def test_an_environment_entry_needs_a_name_and_an_equals_sign(entry):
    with pytest.raises(InvalidInput, match="has no '='"):
        options.environment([entry])
