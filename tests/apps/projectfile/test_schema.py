"""The schema that editors get: it is current, takes what the reader takes, and marks what it refuses."""

import json
import re
from pathlib import Path

import pytest

from parkade.apps import projectpages
from parkade.apps.cli import starter
from parkade.apps.projectfile import yamlfile
from parkade.apps.projectfile.schema import ID, schema
from parkade.apps.projectfile.tree import plain
from tests.apps.projectfile.folder import SMALL
from tests.apps.projectfile.test_bad_files import CASES
from tests.apps.projectfile.validating import errors

ROOT = Path(__file__).parents[3]
SCHEMA = schema()
TEMPLATE = Path(starter.__file__).with_name("newproject") / "parkade.yaml"
#: What a schema cannot know: what sections say of each other, of folders, of the environment.
BEYOND = re.compile(
    r"has no model|has no endpoint|is reserved|two variants|exclude each other|there is no|circle|"
    r"no stage|stages, and none|not set|begins no variable|secret stands|characters with|is finite"
)


def told(text):
    return errors(SCHEMA, plain(yamlfile.read(text)), SCHEMA)


def test_the_published_pages_are_those_that_the_code_makes():
    hint = "make docs"
    assert (ROOT / "docs" / ID).read_text() == projectpages.published(), hint
    assert (ROOT / "docs" / "project-reference.md").read_text() == projectpages.reference(), hint


def test_it_says_which_draft_it_is_and_what_it_is_called():
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert SCHEMA["$id"] == "parkade.schema.json"
    assert SCHEMA["title"]
    assert SCHEMA["description"]
    assert all(errors(SCHEMA, each, SCHEMA) == [] for each in SCHEMA["examples"])


def test_every_key_is_described():
    for name, definition in {**SCHEMA["$defs"], "the file": SCHEMA}.items():
        for key, each in definition.get("properties", {}).items():
            assert each.get("description"), f"{name}.{key}"


def test_every_reference_leads_somewhere():
    found = set(re.findall(r'"#/\$defs/(\w+)"', json.dumps(SCHEMA)))
    assert found <= SCHEMA["$defs"].keys()


def test_it_takes_the_sample_with_its_stages():
    assert told(TEMPLATE.read_text()) == []


@pytest.mark.parametrize("page", ["project.md"])
def test_it_takes_the_examples_of_the_manual(page):
    text = (ROOT / "docs" / page).read_text()
    blocks = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    whole = [block for block in blocks if re.search(r"^project:", block, re.MULTILINE)]
    assert whole
    for block in whole:
        assert told(block) == [], block


def test_it_takes_variables_references_and_nulls_of_stages():
    text = SMALL.replace("-inference}", "-inference, environment: {A: {env: B}, C: x}}") + (
        "    deploy: '${DEPLOY}'\n    lease: false\nregion: '${REGION}'\n"
        "stages: {a: null, b: {base: a, endpoints: {text: null}, tags: {x: null},\n"
        "  monitor: {thresholds: {calls: null}}, models: {model-a: {image: '${I}'}}}}\n"
    )
    assert told(text) == []


#: What no schema sees: files that are no YAML, or none of one meaning.
UNREAD = re.compile(r"not YAML|UTF-8|twice|the tag|alias|is empty|nested")
READ = [name for name, (_, message) in CASES.items() if not UNREAD.search(message)]


@pytest.mark.parametrize("name", READ)
def test_it_marks_what_the_reader_refuses(name):
    text, message = CASES[name]
    assert bool(told(text)) != bool(BEYOND.search(message)), (message, told(text))


@pytest.mark.parametrize(
    "text",
    [
        SMALL.replace("type: ml.c5.large", "instances: 0"),
        SMALL + "    async: {}\n",
        SMALL + "stages: {a: {modles: {}}}\n",
        SMALL + "stages: {a: {project: Other}}\n",
        SMALL + "stages: {a: {endpoints: {text: {deploy: 1}}}}\n",
    ],
)
def test_it_marks_more(text):
    assert told(text)
