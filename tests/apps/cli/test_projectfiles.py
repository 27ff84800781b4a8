"""schema, import and init on the command line; and bad files, which change nothing."""

import json

import pytest
import yaml

from parkade.apps.cli import sample, starter
from parkade.apps.projectfile import clouds, reading
from tests.apps.cli.desk import desk as open_desk
from tests.apps.projectfile.folder import SMALL
from tests.apps.projectfile.forms import managed, stacks


@pytest.fixture
def here(desk, tmp_path, monkeypatch):
    folder = tmp_path / "here"
    folder.mkdir()
    desk.environment["XDG_CACHE_HOME"] = str(tmp_path / "cache")
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def models(here):
    """What the form of stacks expects around it: model-a as a folder, model-b with it as data."""
    for letter in "ab":
        source = here / "models" / f"model-{letter}" / "src"
        (source / "code").mkdir(parents=True)
        (source / "code" / "inference.py").write_text("def model_fn(folder): ...\n")
        (source.parent / "test").mkdir()
        cases = [{"id": 1, "input": {}, "expected": {}}]
        (source.parent / "test" / "input_data.json").write_text(json.dumps(cases))
    (here / "config").mkdir()
    (here / "config" / "app-config.json").write_text(json.dumps(stacks()))
    return here


def test_schema_prints_it_or_writes_it(desk, here):
    printed = json.loads(desk.ok("schema"))
    assert printed["title"] == "Parkade project"
    result = desk.run("schema", "-o", "s.json")
    assert result.exit_code == 0
    assert json.loads((here / "s.json").read_text()) == printed
    assert "# yaml-language-server: $schema=s.json" in result.stderr


def test_an_imported_project_of_stacks_passes_a_dry_run(desk, models):
    result = desk.run("import", "config/app-config.json")
    assert result.exit_code == 0, result.output
    assert result.stdout == "parkade.yaml: 2 models, 1 endpoint, 1 route\n"
    assert "Stack.ModelServing.EndpointConfigName: not carried over: such names" in result.stderr
    difference = desk.json("apply", "--dry-run")
    assert difference.get("problems", []) == []
    assert {each["name"] for each in difference["changes"] if each["kind"] == "endpoint"} == {
        "TextClassificationDemo-TextClassification"
    }


def test_an_imported_endpoint_manager_passes_a_dry_run(desk, here):
    (here / "configs.json").write_text(json.dumps(managed()))
    assert desk.ok("import", "configs.json") == "parkade.yaml: 2 models, 2 endpoints, 2 routes\n"
    result = desk.run("apply", "--dry-run")
    assert result.exit_code == 0, result.output
    assert "left out here: model Falcon40B: its jumpstart is on AWS alone" in result.stderr


def test_an_imported_endpoint_manager_is_played_by_models_of_ones_own(desk, models):
    (models / "configs.json").write_text(json.dumps(managed()))
    played = ["--model=Falcon40B=models/model-a/src", "--model=FlanT5=models/model-b/src"]
    desk.ok("import", "configs.json", *played, "--image", "FlanT5=pytorch-inference:2")
    difference = desk.json("apply", "--dry-run")
    assert difference.get("problems", []) == []
    assert {each["name"] for each in difference["changes"] if each["kind"] == "endpoint"} == {
        "demo-Falcon40B-Endpoint",
        "demo-FlanT5-Endpoint",
    }


def test_import_says_what_has_to_be_corrected(desk, models):
    form = stacks()
    form["Project"]["Region"] = "nowhere"
    form["Stack"]["ModelArchiving"]["ModelList"][1]["ModelLocalPath"] = "models/none/model"
    (models / "config" / "app-config.json").write_text(json.dumps(form))
    result = desk.run("import", "config/app-config.json")
    assert result.exit_code == 0
    assert "to be corrected: parkade.yaml:6:1: region: 'nowhere' is not usable" in result.stderr
    form["Project"]["Region"] = "us-east-1"
    (models / "config" / "app-config.json").write_text(json.dumps(form))
    result = desk.run("import", "config/app-config.json", "--force")
    line = next(each for each in result.stderr.splitlines() if "to be corrected" in each)
    assert "models.model-b.archive: there is no file models/none/model/model.tar.gz" in line


def test_import_replaces_no_file_unless_it_is_told_to(desk, models):
    (models / "parkade.yaml").write_text("project: Mine\n")
    assert desk.error("import", "config/app-config.json") == (
        "error: parkade.yaml is there already; name another with --output, or add --force"
    )
    assert (models / "parkade.yaml").read_text() == "project: Mine\n"
    desk.ok("import", "config/app-config.json", "-o", "other.yaml")
    assert yaml.safe_load((models / "other.yaml").read_text())["project"] == "TextClassification"
    desk.ok("import", "config/app-config.json", "--force")
    assert "Mine" not in (models / "parkade.yaml").read_text()


def test_paths_are_those_from_where_the_new_file_is(desk, models):
    (models / "deep" / "down").mkdir(parents=True)
    desk.ok("import", "config/app-config.json", "-o", "deep/down/parkade.yaml")
    written = yaml.safe_load((models / "deep/down/parkade.yaml").read_text())
    assert written["models"]["model-a"]["source"] == "../../models/model-a/src"
    assert desk.json("apply", "--dry-run", "-f", "deep/down/parkade.yaml")["changes"]


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (["nowhere.json"], "error: nowhere.json: there is no such file: check"),
        (["config"], "error: config: a name without ending is no kind of project file"),
        (["config/app-config.json", "--model", "model-a"], "--model 'model-a' is not NAME=VALUE"),
        (["config/app-config.json", "--model", "modle-a=x"], "did you mean 'model-a'?"),
        (["config/app-config.json", "--image", "model-a=x"], "add --model model-a=FOLDER"),
        (["config/app-config.json", "-o", "no/where.yaml"], "no/where.yaml cannot be written"),
        (["config/app-config.json", "-o", "new.json"], "new.json is not the name of a YAML file"),
    ],
)
def test_import_says_what_is_wrong(desk, models, arguments, wanted):
    assert wanted in desk.error("import", *arguments)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A project that init made, once for all who look at it."""
    folder = tmp_path_factory.mktemp("init")
    with open_desk(folder) as opened:
        opened.environment["XDG_CACHE_HOME"] = str(folder / "cache")
        result = opened.run("init", str(folder / "my shop"))
    assert result.exit_code == 0, result.output
    return folder / "my shop", result


def test_init_makes_a_project(made):
    folder, result = made
    assert result.stdout == f"{folder}: the project MyShop, with two models\n"
    assert f"begin with: cd '{folder}' && parkade apply" in result.stderr
    assert sorted(each.name for each in folder.iterdir()) == [
        "README.md",
        "models",
        "parkade.schema.json",
        "parkade.yaml",
    ]
    assert [each for each in folder.parent.iterdir() if each.name.startswith(".")] == []


@pytest.mark.parametrize(
    ("folder", "project"),
    [
        ("text-shop", "TextShop"),
        ("TextClassification", "TextClassification"),
        ("my_sample", "MySample"),
        ("mysample", "Mysample"),
        ("über 2", "Ber2"),
        ("2026", "Sample2026"),
        ("1e5", "Sample1e5"),
        ("-", "Sample"),
    ],
)
def test_a_project_is_named_by_the_words_of_its_folder(tmp_path, monkeypatch, folder, project):
    model = tmp_path / "model"
    model.mkdir()
    monkeypatch.setattr(sample, "prepare", lambda *_: model)
    assert starter.make(tmp_path / folder, tmp_path, lambda _: None) == project
    told = yaml.safe_load((tmp_path / folder / "parkade.yaml").read_text())
    assert told["project"] == project
    assert f"/{project.lower()}" in told["routes"]


def test_what_init_made_can_be_applied_as_it_is(desk, made):
    folder, _ = made
    for stage in ("Demo", "prod"):
        difference = desk.json(
            "apply", "--dry-run", "-f", str(folder / "parkade.yaml"), "--stage", stage
        )
        assert difference.get("problems", []) == []
        kinds = {each["kind"] for each in difference["changes"]}
        assert {"model", "endpoint", "route", "alarm", "tester"} <= kinds


def test_what_init_made_is_taken_by_aws_at_a_stage_of_its_own(made):
    folder, _ = made
    found = reading.read(folder / "parkade.yaml", stage="Aws", environment={})
    assert found.content.prefix == "MyShopAws"
    assert clouds.refused_on_aws(found.content) == []
    (endpoint,) = found.content.endpoints.values()
    for bucket in (found.content.bucket, endpoint.capture.destination.removeprefix("s3://")):
        assert bucket.startswith("myshopaws-")


@pytest.mark.parametrize("model", ["model-a", "model-b"])
def test_the_models_that_init_made_pass_their_own_cases(desk, made, model):
    folder, _ = made
    assert "4 cases" in desk.run("model", "test", str(folder / "models" / model)).stderr


def test_the_two_models_are_not_the_same(made):
    folder, _ = made
    first, second = (folder / "models" / f"model-{x}" / "model.joblib" for x in "ab")
    assert first.read_bytes() != second.read_bytes()


def test_init_leaves_a_folder_with_something_in_it_alone(desk, here):
    (here / "mine").mkdir()
    (here / "mine" / "notes.txt").write_text("mine")
    for name in ("mine", "mine/notes.txt"):
        line = desk.error("init", name)
        assert "is there, and not an empty folder; name a folder that is new" in line
    assert [each.name for each in (here / "mine").iterdir()] == ["notes.txt"]


BAD = {
    "nothing": ("", 1),
    "nonsense": ("\x93}{: [" * 2_000_000, 1),
    "YAML that is none": ("project: [", 1),
    "duplicate names": (SMALL + "  text: {}\n", 1),
    "two variants of one name": (SMALL + SMALL.splitlines()[-1] + "\n", 1),
    "a missing folder": (SMALL.replace('data: "s3://models/a.tar.gz"', "source: nowhere"), 1),
    "cyclic overlays": (SMALL + "stage: a\nstages: {a: {base: b}, b: {base: a}}\n", 1),
    "unknown keys": ("project: Text\nmodles: {}\nroutez: {}\n", 2),
}


def refused(desk, here, text, *command):
    """Return what is told of a bad file; what runs has to be as before."""
    (here / "parkade.yaml").write_text(text)
    before = desk.json("projects", "ls")
    result = desk.run(*command)
    assert result.exit_code == 1
    assert not result.stdout
    assert desk.json("projects", "ls") == before
    return [each for each in result.stderr.splitlines() if each.startswith("error: parkade.yaml")]


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_ends_with_status_1_and_changes_nothing(desk, here, name):
    text, problems = BAD[name]
    assert len(refused(desk, here, text, "apply", "--yes")) == problems


@pytest.mark.parametrize("command", [("apply", "--dry-run"), ("destroy", "--yes"), ("status",)])
def test_no_command_takes_a_bad_file(desk, here, command):
    assert len(refused(desk, here, "project: [", *command)) == 1
