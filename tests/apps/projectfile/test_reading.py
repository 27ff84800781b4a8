"""Files that can be used: their kinds, variables, and what is sent to a server."""

import json
import tarfile

import pytest

from parkade.apps.projectfile import document
from parkade.apps.projectfile.layout import project_of
from parkade.domain.errors import InvalidInput
from tests.apps.projectfile.folder import SMALL

TREE = {
    "project": "Text",
    "models": {"model-a": {"data": "s3://models/a.tar.gz", "image": "pytorch-inference"}},
    "endpoints": {"text": {"variants": [{"name": "A", "model": "model-a", "type": "ml.c5.large"}]}},
}
TOML = """\
project = "Text"
models.model-a = {data = "s3://models/a.tar.gz", image = "pytorch-inference"}
[[endpoints.text.variants]]
name = "A"
model = "model-a"
type = "ml.c5.large"
"""


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("parkade.yaml", SMALL),
        ("parkade.yml", "\ufeff" + SMALL),
        ("parkade.json", json.dumps(TREE)),
        ("parkade.json", json.dumps(TREE, indent="\t")),
        ("parkade.yaml", json.dumps(TREE)),
        ("parkade.json", json.dumps({"$schema": "parkade.schema.json", **TREE})),
        ("parkade.toml", TOML),
    ],
)
def test_a_project_is_the_same_in_yaml_json_and_toml(folder, name, text):
    assert folder.read(text, name=name).content.model_dump(exclude_unset=True) == TREE


def test_scalars_are_what_they_are_in_json(folder):
    text = SMALL + "tags: {country: NO, day: 2026-01-01, octal: 0o7, time: 12:30, way: on}\n"
    assert folder.read(text).content.tags == {
        "country": "NO",
        "day": "2026-01-01",
        "octal": "0o7",
        "time": "12:30",
        "way": "on",
    }


def test_anchors_and_merged_mappings(folder):
    text = SMALL.replace("- {name: A", "- &a {name: A") + "      - {<<: *a, name: B}\n"
    variants = folder.read(text).content.endpoints["text"].variants
    assert [(each.name, each.model) for each in variants] == [("A", "model-a"), ("B", "model-a")]


def test_variables(folder):
    folder.environment = {"TEAM": "nlp", "EMPTY": "", "N": "3", "ON": "false", "ID": "012345678901"}
    text = SMALL.replace("model: model-a,", 'model: model-a, instances: "${N}",') + (
        "    deploy: ${ON}\n    lease: {minutes: '${N}'}\n"
        "account: ${ID}\n"
        "tags: {a: '${TEAM}-x', b: '$${TEAM}', c: '${EMPTY:-none}', d: '${EMPTY}', e: '${NO:-}', f: '${N}'}\n"
    )
    content = folder.read(text).content
    assert content.tags == {"a": "nlp-x", "b": "${TEAM}", "c": "none", "d": "", "e": "", "f": "3"}
    assert content.account == "012345678901"
    assert content.endpoints["text"].variants[0].instances == 3
    assert content.endpoints["text"].deploy is False
    assert content.endpoints["text"].lease.minutes == 3


def test_a_variable_that_is_no_number_where_one_is_wanted(folder):
    folder.environment = {"N": "many"}
    text = SMALL.replace("model: model-a,", "model: model-a, instances: '${N}',")
    (told,) = folder.refused(text)
    assert "instances: 'many' is not a whole number" in told


def test_a_variable_is_not_read_again(folder):
    folder.environment = {"A": "${B}", "B": "b"}
    assert folder.read(SMALL + "tags: {a: '${A}'}\n").content.tags == {"a": "${B}"}


def test_variables_of_other_stages_need_not_be_set(folder):
    text = SMALL + "stages: {demo: {}, prod: {tags: {team: '${TEAM}'}}}\n"
    assert folder.read(text, stage="demo").content.tags == {}
    assert "TEAM is not set" in folder.refused(text, stage="prod")[0]


def test_the_stage_is_part_of_the_names(folder):
    assert folder.read(SMALL).content.prefix == "Text"
    assert folder.read(stage="prod").content.prefix == "Text-prod"
    assert folder.read(SMALL + "stage: Demo\n").content.prefix == "TextDemo"
    assert folder.read().content.archives == "textdemo-archive"


SOURCES = SMALL.replace('data: "s3://models/a.tar.gz"', "source: m").replace(
    "pytorch-inference}",
    "pytorch-inference, environment: {LEVEL: info, HF_TOKEN: {env: HF}, KEY: {file: key.txt}}}\n"
    "  model-b: {archive: b.tar.gz, image: pytorch-inference}",
)


@pytest.fixture
def whole(folder):
    (folder.path / "m").mkdir()
    folder.write("k-1\nmore\n", "key.txt")
    folder.write('[{"id": 1, "input": 2, "expected": 3}]', "cases.json")
    with tarfile.open(folder.path / "b.tar.gz", "w:gz") as archive:
        archive.add(folder.path / "key.txt", "x")
    folder.environment = {"HF": "hf-value"}
    return folder.read(SOURCES + "tester: {endpoint: text, cases: cases.json}\n")


ADDRESSES = {("models", "model-a"): "s3://x/a.tar.gz", ("models", "model-b"): "s3://x/b.tar.gz"}


def test_what_is_on_this_machine_is_named_with_its_place(whole, folder):
    assert [(each.place, each.path, each.folder) for each in whole.locals] == [
        (("models", "model-a"), folder.path / "m", True),
        (("models", "model-b"), folder.path / "b.tar.gz", False),
    ]


def test_a_document_is_whole_in_itself(whole):
    sent = whole.document(ADDRESSES).sent()
    assert sent["models"]["model-a"]["data"] == "s3://x/a.tar.gz"
    assert "source" not in sent["models"]["model-a"]
    assert sent["tester"]["cases"] == [{"id": 1, "input": 2, "expected": 3}]
    assert document.read(json.loads(json.dumps(sent))) == whole.document(ADDRESSES)


def test_secrets_are_sent_beside_and_not_remembered(whole):
    made = whole.document(ADDRESSES)
    assert made.secrets == {"env:HF": "hf-value", "file:key.txt": "k-1"}
    remembered = made.remembered()
    assert remembered["models"]["model-a"]["environment"]["HF_TOKEN"] == {"env": "HF"}
    assert "hf-value" not in json.dumps(remembered)
    assert "hf-value" not in repr(made) + repr(whole)


def test_a_secret_is_a_secret_of_the_part(whole):
    project = project_of(whole.document(ADDRESSES))
    model = project.parts[0]
    assert model.content["environment"] == {"HF_TOKEN": "hf-value", "KEY": "k-1", "LEVEL": "info"}
    assert model.secret == {"environment.HF_TOKEN", "environment.KEY"}
    assert "hf-value" not in json.dumps(project.document)


def test_a_document_without_its_secrets_is_refused(whole):
    remembered = document.read(whole.document(ADDRESSES).remembered())
    with pytest.raises(InvalidInput, match="the value of env:HF was not sent"):
        project_of(remembered)


def test_a_document_with_something_of_the_client_is_refused(whole):
    for change in ({"source": "m"}, {"archive": "m.tar.gz"}):
        body = whole.document(ADDRESSES).sent()
        del body["models"]["model-a"]["data"]
        body["models"]["model-a"] |= change
        with pytest.raises(InvalidInput, match="is on the client: store it"):
            document.read(body)
    body = whole.document(ADDRESSES).sent()
    body["tester"]["cases"] = "cases.json"
    with pytest.raises(InvalidInput, match="is a file on the client"):
        document.read(body)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ([], "a list is not a mapping"),
        ({"projekt": "T"}, "project.*did you mean|unknown key 'projekt'"),
        (TREE | {"secrets": {"env:X": [5, "s3cret"]}}, "^secrets: a value of it is not a text$"),
        (TREE | {"routes": {"/a": {"endpoint": "x"}}}, "routes./a.endpoint: the file has no"),
    ],
)
def test_a_document_that_is_none(body, message):
    with pytest.raises(InvalidInput, match=message):
        document.read(body)


def test_who_only_has_to_know_the_project_needs_no_files(folder):
    assert folder.read(SOURCES, whole=False).content.prefix == "Text"
    assert len(folder.refused()) == 4
