"""The fields of both forms. This part of the sample needs neither torch nor a model."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest

PATH = Path(__file__).parents[2] / "examples" / "text-generation" / "code" / "forms.py"


@pytest.fixture(scope="module")
def forms():
    spec = importlib.util.spec_from_file_location("text_generation_forms", PATH)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


def falcon(**parameters):
    return {"inputs": "Hello", "parameters": parameters}


def flan(**fields):
    return {"text_inputs": "Hello", **fields}


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ([], "send "),
        ({}, "send "),
        ({"inputs": "a", "text_inputs": "b"}, "send "),
        ({"inputs": ""}, "inputs is not a text, or is empty"),
        ({"text_inputs": ["a"]}, "text_inputs is not a text, or is empty"),
        ({"inputs": "a", "parameters": [1]}, "parameters is not a JSON object"),
        ({"inputs": "a", "max_length": 3}, "'max_length' is not known"),
        (falcon(max_tokens=3), "'max_tokens' is not known"),
        (flan(parameters={}), "'parameters' is not known"),
        (flan(return_full_text=True), "return_full_text belongs to the form with inputs"),
        (falcon(max_new_tokens=0), "max_new_tokens 0 is not a whole number from 1 to 4096"),
        (falcon(max_new_tokens=True), "max_new_tokens True is not a whole number"),
        (falcon(max_new_tokens=4097), "max_new_tokens 4097 is not a whole number"),
        (falcon(max_new_tokens=5, max_length=5), "give max_length or max_new_tokens"),
        (flan(max_length="50"), "max_length '50' is not a whole number"),
        (flan(temperature=-0.1), "temperature -0.1 is not a number from 0 to 100"),
        (flan(temperature="hot"), "temperature 'hot' is not a number"),
        (flan(temperature=float("nan")), "temperature nan is not a number"),
        (flan(seed=-1), "seed -1 is not a whole number"),
        (flan(seed=1.5), "seed 1.5 is not a whole number"),
        (flan(num_return_sequences=17), "num_return_sequences 17 is not a whole number"),
        (flan(top_k=0), "top_k 0 is not a whole number"),
        (flan(top_p=1.1), "top_p 1.1 is not a number from 0 to 1"),
        (flan(do_sample=1), "do_sample 1 is neither true nor false"),
    ],
)
def test_an_unusable_request_names_its_field(forms, value, reason):
    with pytest.raises(forms.BadInput) as caught:
        forms.parse(json.dumps(value))
    assert str(caught.value).startswith(reason)
    assert caught.value.status_code == 400


def test_what_is_not_json_is_refused(forms):
    with pytest.raises(forms.BadInput, match="not JSON"):
        forms.parse("{")


@pytest.mark.parametrize(
    ("fields", "greedy"),
    [
        ({}, True),
        ({"temperature": 0.0}, True),
        ({"temperature": 0, "do_sample": True}, True),
        ({"temperature": 0.7}, False),
        ({"temperature": 0.7, "do_sample": False}, True),
        ({"top_k": 5}, False),
        ({"top_p": 0.9}, False),
        ({"do_sample": True}, False),
        ({"temperature": None}, True),
    ],
)
def test_an_answer_is_greedy_unless_sampling_is_asked_for(forms, fields, greedy):
    assert forms.parse(json.dumps(flan(**fields))).greedy is greedy
    assert forms.parse(json.dumps(falcon(**fields))).greedy is greedy


def test_an_answer_has_the_form_of_its_request(forms):
    prompt = forms.parse(json.dumps(flan()))
    assert json.loads(forms.answer(prompt, ["a", "b"])) == {"generated_texts": ["a", "b"]}
    prompt = forms.parse(json.dumps({"inputs": "Hello", "parameters": None}))
    assert json.loads(forms.answer(prompt, [" you"])) == [{"generated_text": " you"}]
    prompt = forms.parse(json.dumps(falcon(return_full_text=True)))
    assert json.loads(forms.answer(prompt, [" you"])) == [{"generated_text": "Hello you"}]
