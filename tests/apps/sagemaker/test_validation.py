"""Input is read as its shape describes it, and everything wrong with it is named."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parkade.apps.sagemaker import (
    components,
    configs,
    description,
    models,
    validation,
    variants,
)
from parkade.apps.sagemaker.known import KNOWN
from parkade.apps.sagemaker.operations import OPERATIONS
from parkade.apps.wire.faults import Fault
from tests.apps.sagemaker.shapes import lawful, mistyped, spoilt

#: Generating is what takes its time: the shapes are deep.
CALM = settings(
    deadline=None,
    max_examples=20,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


def shape_of(name):
    return description.operation(name).input_shape


def refusal(name, given_input):
    with pytest.raises(Fault) as caught:
        validation.read(shape_of(name), given_input)
    return caught.value


def validation_message(name, given_input):
    fault = refusal(name, given_input)
    assert (fault.code, fault.status) == ("ValidationException", 400)
    return fault.message


@pytest.mark.parametrize("name", sorted(OPERATIONS))
@CALM
@given(data=st.data())
def test_what_the_shapes_describe_is_read_and_every_fault_in_it_is_named(name, data):
    shape = shape_of(name)
    value = json.loads(json.dumps(data.draw(lawful(shape))))
    validation.read(shape, value)
    for what, bad, place in spoilt(shape, value):
        message = validation_message(name, bad)
        assert f"at '{place}' failed to satisfy constraint" in message, what
    for bad, place in mistyped(shape, value):
        fault = refusal(name, bad)
        assert fault.code == "SerializationException"
        assert place in fault.message


def test_every_operation_of_the_description_reads_what_its_shapes_describe():
    for name in sorted(description.names() - OPERATIONS.keys()):
        if (shape := shape_of(name)) is not None:
            read_one(shape)


def read_one(shape):
    @settings(CALM, max_examples=1)
    @given(value=lawful(shape, depth=3))
    def check(value):
        validation.read(shape, json.loads(json.dumps(value)))

    check()


def test_a_wrong_name_is_told_in_the_words_of_aws():
    assert validation_message("DescribeEndpoint", {"EndpointName": "bad_name"}) == (
        "1 validation error detected: Value 'bad_name' at 'endpointName' failed to satisfy "
        "constraint: Member must satisfy regular expression pattern: "
        "[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}"
    )


def test_several_errors_are_told_at_once():
    message = validation_message("CreateEndpoint", {"EndpointName": "-" * 64})
    assert message.startswith("3 validation errors detected: ")
    assert "Member must have length less than or equal to 63; Value" in message
    assert (
        "Value null at 'endpointConfigName' failed to satisfy constraint: Member must not be null"
    ) in message


def test_no_more_errors_are_told_than_help():
    tags = [{"Key": ";", "Value": ""}] * 50
    message = validation_message(
        "AddTags", {"ResourceArn": "arn:aws:sagemaker:x:000000000000:model/m", "Tags": tags}
    )
    assert message.startswith("50 validation errors detected: ")
    assert message.endswith("; and 30 more")


def test_a_long_value_is_told_by_its_beginning():
    message = validation_message("DescribeEndpoint", {"EndpointName": "a" * 100_000})
    assert len(message) < 2000


@pytest.mark.parametrize(
    ("given_input", "place"),
    [
        ({"EndpointName": None}, "endpointName"),
        ({"endpointName": "a"}, "endpointName"),
        ({}, "endpointName"),
    ],
)
def test_what_is_null_is_not_given(given_input, place):
    assert f"Value null at '{place}'" in validation_message("DescribeEndpoint", given_input)


def test_an_unknown_member_is_named_with_what_was_probably_meant():
    message = validation_message("DescribeEndpoint", {"EndpointNam": "a", "EndpointName": "a"})
    assert "at 'endpointNam' failed" in message
    assert "did you mean 'EndpointName'?" in message


@pytest.mark.semantics("limits.environment")
@pytest.mark.parametrize(
    ("environment", "constraint"),
    [
        ({"1A": "x"}, "Map keys must satisfy constraint: [Member must satisfy regular"),
        ({"A": "x" * 1025}, "Map value must satisfy constraint: [Member must have length less"),
        ({"A": None}, "Member must not be null"),
        ({f"A{n}": "" for n in range(101)}, "length less than or equal to 100"),
    ],
    ids=["key", "value", "null", "entries"],
)
def test_the_entries_of_a_map_are_checked(environment, constraint):
    container = {"Image": "i", "Environment": environment}
    message = validation_message("CreateModel", {"ModelName": "m", "PrimaryContainer": container})
    assert "'primaryContainer.environment" in message
    assert constraint in message


@pytest.mark.parametrize(
    "text", ["ключ", "鍵", "é", "naïve key", "a\u00a0b", "٣", "Ⅷ", "½", "a:b/c=d+e-f@g_h."]
)
def test_tags_may_have_letters_of_all_languages(text):
    validation.read(shape_of("AddTags"), tagged(text, text))


@pytest.mark.semantics("limits.tags")
@pytest.mark.parametrize(
    "text", ["a;b", "a,b", "(a)", "[a]", "a\nb", "🚗", "e\u0301", "a\tb"], ids=ascii
)
def test_tags_may_not_have_what_custodian_writes(text):
    message = validation_message("AddTags", tagged(text, text))
    assert "'tags.1.member.key'" in message
    assert "'tags.1.member.value'" in message


def tagged(key, value):
    arn = "arn:aws:sagemaker:us-east-1:000000000000:endpoint/e"
    return {"ResourceArn": arn, "Tags": [{"Key": key, "Value": value}]}


def test_half_a_surrogate_pair_is_no_text():
    fault = refusal("AddTags", tagged("\ud800", "x"))
    assert fault.code == "SerializationException"
    assert "tags.1.member.key" in fault.message


def test_instants_and_whole_numbers_are_read_as_such():
    read = validation.read(shape_of("ListEndpoints"), {"CreationTimeAfter": 1.5, "MaxResults": 7.0})
    assert read["CreationTimeAfter"] == datetime(1970, 1, 1, 0, 0, 1, 500_000, UTC)
    assert (read["MaxResults"], type(read["MaxResults"])) == (7, int)


#: What is refused as a whole where it is given, or has no meaning here and is kept as a whole.
UNREAD = {
    *models._REFUSED_OF_CONTAINER,
    *models._REFUSED_OF_SOURCE,
    *configs._REFUSED,
    *variants._REFUSED,
    *components._REFUSED,
    *("ImageConfig", "VpcConfig", "ServerlessUpdateConfig", "PrefixAwareRoutingConfig"),
    *("RollingUpdatePolicy", "AutoRollbackConfiguration", "CanarySize", "LinearStepSize"),
} - {"DeploymentConfig"}


def read_structures(shape, found):
    for name, child in getattr(shape, "members", {}).items():
        if name not in UNREAD:
            read_structures(child, found)
    if shape.type_name == "list":
        read_structures(shape.member, found)
    if shape.type_name == "structure":
        found[shape.name] = set(shape.members)


def test_somebody_has_looked_at_every_member_that_botocore_knows():
    """If this fails, botocore is newer: see `known.py`."""
    found = {}
    for name in OPERATIONS:
        read_structures(shape_of(name), found)
    deployments = {name for name in found if name.startswith("InferenceComponentDeployment")}
    assert {name: members for name, members in found.items() if name not in deployments} == KNOWN


def test_a_member_that_nobody_has_looked_at_is_refused(monkeypatch):
    monkeypatch.setitem(KNOWN, "CreateEndpointInput", {"EndpointName", "EndpointConfigName"})
    given_input = {"EndpointName": "e", "EndpointConfigName": "c", "Tags": []}
    message = validation_message("CreateEndpoint", given_input)
    assert "at 'tags' failed" in message
    assert "newer than Parkade" in message
