"""Projects of other tools, turned into parkade.yaml: what is carried over, and what is told."""

import json
import tarfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parkade.apps.projectfile import clouds, yamlfile
from parkade.apps.projectfile.importing import conversion, writing
from parkade.apps.projectfile.importing.carried import Surroundings
from parkade.apps.projectfile.problem import BadFile
from parkade.apps.projectfile.tree import plain
from tests.apps.projectfile.folder import Folder
from tests.apps.projectfile.forms import IMAGE, managed, stacks

#: Keys whose values in the form are those that hold without them.
_AS_BY_DEFAULT = {
    "VariantWeight", "InstanceCount", "AutoScalingEnable", "AutoScalingMinCapacity",
}  # fmt: skip


class Importing(Folder):
    """Converts files, and reads what comes of it."""

    def convert(self, form, name="app-config.json", **models):
        text = form if isinstance(form, str) else json.dumps(form, indent=2)
        file = self.write(text, name)
        images = {key: f"image-of-{key}" for key in models}
        around = Surroundings(root=self.path, target=self.path, folders=models, images=images)
        carried, told = conversion.convert(file, around)
        self.write(conversion.written(carried, name))
        self.told = [str(each).split(": ", 1)[1] for each in told]
        return self.read().content


@pytest.fixture
def folder(tmp_path):
    return Importing(tmp_path)


@pytest.fixture
def models(folder):
    """Model-a as a folder with its cases, model-b packed, as the form's own scripts leave them."""
    folder.write("def model_fn(folder): ...\n", "models/model-a/src/code/inference.py")
    cases = '[{"id": 1, "input": 2, "expected": 3}]'
    folder.write(cases, "models/model-a/test/input_data.json")
    (folder.path / "models/model-b/model").mkdir(parents=True)
    with tarfile.open(folder.path / "models/model-b/model/model.tar.gz", "w:gz"):
        pass
    return folder


def test_stacks_become_one_project(models):
    content = models.convert(stacks())
    assert (content.prefix, content.account, content.region) == (
        "TextClassificationDemo",
        "751571234567",
        "us-east-1",
    )
    assert content.bucket == "textclassificationdemo-model-archiving-us-east-1-75157"
    assert {key: (each.source, each.archive) for key, each in content.models.items()} == {
        "model-a": ("models/model-a/src", None),
        "model-b": (None, "models/model-b/model/model.tar.gz"),
    }
    assert {each.image for each in content.models.values()} == {IMAGE}
    endpoint = content.endpoints["TextClassification"]
    assert [(each.name, each.model, each.type) for each in endpoint.variants] == [
        ("Model-A", "model-a", "ml.c4.xlarge"),
        ("Model-B", "model-b", "ml.c4.xlarge"),
    ]
    scaling = endpoint.variants[1].scaling
    assert (scaling.enabled, scaling.least, scaling.most, scaling.target) == (False, 2, 4, 50)
    assert (
        endpoint.capture.destination == "s3://textclassificationdemo-model-serving-us-east-1-75157"
    )
    assert (endpoint.deploy, endpoint.lease) == (True, False)
    assert content.routes["/textclassification"].auth == "token"
    thresholds = content.monitor.thresholds
    assert (thresholds.calls, thresholds.errors_4xx, thresholds.errors_5xx) == (100, 20, 20)
    assert content.monitor.subscribers == ["ann@example.com"]
    assert content.tester.cases == "models/model-a/test/input_data.json"
    assert (content.pipeline.branch, content.pipeline.repository) == (
        "main",
        "TextClassificationDemo",
    )


def test_a_profile_is_of_no_use_to_a_pipeline(models):
    assert models.convert(stacks()).profile is None
    assert "Project.Profile: not carried over: a pipeline has none; set AWS_PROFILE here" in (
        models.told
    )
    form = stacks()
    del form["Stack"]["CICDPipeline"]["RepositoryName"]
    assert models.convert(form).profile == "default"


@pytest.mark.parametrize("form", [stacks, managed])
def test_what_was_on_aws_is_taken_there(models, form):
    assert clouds.refused_on_aws(models.convert(form())) == []


def test_of_stacks_it_is_told_what_is_not_carried_over(models):
    models.convert(stacks())
    places = [line.split(":")[0] for line in models.told]
    assert "Stack.ModelServing.EndpointConfigName" in places
    assert "Stack.ModelServing.ModelList[1].ModelName" in places
    assert "Stack.MonitorDashboard.DashboardName" in places


def test_texts_of_the_file_are_no_variables(models):
    form = stacks()
    form["Stack"]["CICDPipeline"]["RepositoryName"] = "a ${HOME} b"
    assert models.convert(form).pipeline.repository == "a ${HOME} b"


def test_the_pipeline_may_stand_beside_the_stacks(models):
    form = stacks()
    form["CICDPipeline"] = form["Stack"].pop("CICDPipeline")
    assert models.convert(form).pipeline.repository == "TextClassificationDemo"


def test_an_object_that_is_there_already_is_served(folder):
    form = stacks()
    for each in form["Stack"]["ModelArchiving"]["ModelList"]:
        each["ModelLocalPath"] = ""
    content = folder.convert(form)
    bucket = "textclassificationdemo-model-archiving-us-east-1-75157"
    assert content.models["model-a"].data == f"s3://{bucket}/models/model-a/model/model.tar.gz"
    assert content.tester is None
    assert any("no tester is made" in line for line in folder.told)


def test_folders_and_images_that_are_named_go_before_those_of_the_file(models):
    content = models.convert(stacks(), **{"model-b": "models/model-a/src"})
    assert content.models["model-b"].source == "models/model-a/src"
    assert content.models["model-b"].image == "image-of-model-b"


def test_keys_that_are_not_known_are_told_and_not_dropped(models):
    form = stacks()
    form["Stack"]["ModelServing"]["ModelList"][0]["Colour"] = "blue"
    form["Stack"]["Painting"] = {"Name": "PaintingStack"}
    form["Version"] = 7
    models.convert(form)
    assert [line for line in models.told if "not known" in line] == [
        "Stack.ModelServing.ModelList[0].Colour: not carried over (blue): it is not known here",
        "Stack.Painting: not carried over: it is not known here",
        "Version: not carried over (7): it is not known here",
    ]


def test_every_key_of_a_form_is_carried_over_or_told(models):
    """Take any key away from the form: what is written or told is not the same."""
    whole = models.convert(stacks()), list(models.told)
    form = stacks()["Stack"]["ModelServing"]["ModelList"][0]
    for key in form:
        changed = stacks()
        del changed["Stack"]["ModelServing"]["ModelList"][0][key]
        try:
            result = models.convert(changed), list(models.told)
        except BadFile:
            continue
        if key not in _AS_BY_DEFAULT:
            assert result != whole, key


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        (
            {"Account": "75157*******"},
            "Project.Account: not carried over: '75157*******' has no 12",
        ),
        ({"Account": 5}, "Project.Account: not carried over: it is not a text"),
        ({"Name": "Text Classification"}, "Project.Name: written as Text-Classification"),
    ],
)
def test_values_that_cannot_be_used_are_told(models, change, wanted):
    form = stacks()
    form["Project"] |= change
    models.convert(form)
    assert any(line.startswith(wanted) for line in models.told), models.told


def test_an_endpoint_manager_becomes_a_project(folder):
    content = folder.convert(managed(), "configs.json")
    assert (content.prefix, content.region) == ("demo", "us-east-1")
    assert [f"{content.prefix}-{key}" for key in content.endpoints] == [
        "demo-Falcon40B-Endpoint",
        "demo-FlanT5-Endpoint",
    ]
    falcon, flan = content.endpoints.values()
    assert falcon.lease.minutes == 60
    assert (falcon.variants[0].type, falcon.variants[0].instances) == ("ml.g5.12xlarge", 2)
    assert falcon.asynchronous is None
    assert (flan.asynchronous.output, flan.lease) == (
        "s3://demo-archive/async/FlanT5-Endpoint",
        False,
    )
    assert content.models["Falcon40B"].jumpstart == "huggingface-llm-falcon-40b-instruct-bf16"
    assert content.models["Falcon40B"].embedded is False
    assert {path: each.auth for path, each in content.routes.items()} == {
        "/falcon": "public",
        "/flan": "token",
    }


def test_of_an_endpoint_manager_it_is_told_what_is_not_carried_over(folder):
    folder.convert(managed(), "configs.json")
    assert [line.split(":")[0] for line in folder.told] == [
        "ddb_auth_table_name",
        "jumpstart_models[0].model_id",
        "jumpstart_models[0].public",
        "jumpstart_models[0].integration.properties.lambda_src",
        "jumpstart_models[1].model_id",
        "jumpstart_models[1].inference_type",
    ]


def test_a_folder_plays_a_jumpstart_model(folder):
    folder.write("def model_fn(folder): ...\n", "mine/code/inference.py")
    content = folder.convert(managed(), "configs.json", Falcon40B="mine")
    played = content.models["Falcon40B"].embedded
    assert (played.source, played.image) == ("mine", "image-of-Falcon40B")


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({"inference_type": "batch"}, "inference_type: taken as realtime: 'batch'"),
        ({"schedule": {"initial_provision_minutes": 0}}, "schedule.initial_provision_minutes: not"),
        ({"schedule": {"cron": "x"}}, "schedule.cron: not carried over (x): it is not known here"),
        ({"integration": {"type": "ftp"}}, "integration.type: taken as api: 'ftp'"),
        ({"integration": []}, "integration: not carried over: it is no mapping"),
        ({"name": "FlanT5"}, None),
    ],
)
def test_settings_of_a_managed_model_that_cannot_be_used_are_told(folder, change, wanted):
    form = managed()
    form["jumpstart_models"][0] |= change
    folder.convert(form, "configs.json")
    wanted = f"jumpstart_models[0].{wanted}" if wanted else "jumpstart_models[1].name: this model"
    assert any(line.startswith(wanted) for line in folder.told), folder.told


def test_a_route_of_parkades_own_gets_another_name(folder):
    form = managed()
    form["jumpstart_models"][0]["integration"]["properties"]["api_resource_name"] = "models"
    assert "/models-model" in folder.convert(form, "configs.json").routes


@pytest.mark.parametrize("form", [{}, {"Project": {}}, {"project_prefix": "x"}])
def test_a_form_that_is_not_known(folder, form):
    with pytest.raises(BadFile, match=r"it is of no form that is known: app-config\.json has"):
        folder.convert(form)


def test_a_form_that_is_not_json(folder):
    with pytest.raises(BadFile, match=r"app-config.json:2:8: it is not JSON"):
        folder.convert('{"Project":\n {"a": <-- change}')


@pytest.mark.parametrize(
    "form",
    [
        {"Project": [], "Stack": 1},
        {"Project": {}, "Stack": {"ModelServing": {"ModelList": [1]}}},
        {"project_prefix": 1, "jumpstart_models": {}},
        {"project_prefix": "x", "jumpstart_models": [{}, {"name": {}}]},
    ],
)
def test_a_form_with_nothing_usable_in_it_gives_an_empty_project(folder, form):
    assert folder.convert(form).endpoints == {}
    assert folder.told


texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("\n\t"))
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(-1e6, 1e6) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=15,
)


@settings(max_examples=60)
@given(st.dictionaries(texts, anything, max_size=4))
def test_what_is_written_is_read_as_it_was(content):
    written = writing.write({"first": 1, **content}, {(): "a comment", ("first",): "another"})
    assert plain(yamlfile.read(written)) == {"first": 1, **content}
    assert "\t" not in written
