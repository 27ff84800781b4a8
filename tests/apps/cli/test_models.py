"""Models and configs on the command line; model folders are real ones."""

import json
import tarfile

import pytest

SCRIPT = """
import json

def model_fn(model_dir):
    return len(model_dir) > 0

def transform_fn(model, data, content_type, accept):
    print("the script prints, too")
    sentence = json.loads(data)["sentence"]
    return json.dumps({"words": len(sentence.split())}), "application/json"
"""


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "model"
    (made / "code").mkdir(parents=True)
    (made / "test").mkdir()
    (made / "code" / "inference.py").write_text(SCRIPT)
    write_cases(made, {"words": 2}, {"words": 3})
    return made


def write_cases(folder, *expected):
    cases = [
        {"id": f"tc-00{number}", "input": {"sentence": " w" * (number + 1)}, "expected": each}
        for number, each in enumerate(expected, start=1)
    ]
    (folder / "test" / "input_data.json").write_text(json.dumps(cases))


def test_model_test_prints_each_case_as_the_seed_does(desk, folder):
    result = desk.run("model", "test", str(folder))
    assert result.exit_code == 0, result.output
    lines = [line for line in result.stdout.splitlines() if line.startswith("[")]
    assert lines == [
        '[tc-001]: result==>{"words": 2}',
        "[tc-001]: completed==> w w",
        '[tc-002]: result==>{"words": 3}',
        "[tc-002]: completed==> w w w",
    ]
    assert "2 cases, all as expected" in result.stderr


def test_model_test_fails_if_one_case_differs(desk, folder):
    write_cases(folder, {"words": 2}, {"words": 7})
    result = desk.run("model", "test", str(folder))
    assert result.exit_code == 1
    assert '[tc-002]: expected==>{"words": 7}' in result.stdout
    assert result.stderr == "error: 1 of 2 cases differ: tc-002\n"


def test_model_test_says_what_is_wrong_with_a_folder(desk, folder, tmp_path):
    assert "is not a folder" in desk.error("model", "test", str(tmp_path / "none"))
    (folder / "code" / "inference.py").write_text("import nothing_of_that_name")
    line = desk.error("model", "test", str(folder))
    assert "cannot be served" in line
    assert "nothing_of_that_name" in line


def test_model_test_of_a_folder_with_requirements_runs_in_their_environment(
    desk, folder, tmp_path, monkeypatch
):
    # A package of the folder's own needs no index, and is nowhere but in that environment.
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    desk.environment["XDG_CACHE_HOME"] = str(tmp_path / "cache")
    wheel(folder / "code")
    (folder / "code" / "requirements.txt").write_text(f"--no-index\n./{WHEEL}\n")
    script = SCRIPT.replace("import json", "import json, only_there")
    (folder / "code" / "inference.py").write_text(script)
    result = desk.run("model", "test", str(folder))
    assert result.exit_code == 0, result.output
    assert '[tc-002]: result==>{"words": 3}' in result.stdout.splitlines()
    (folder / "code" / "inference.py").write_text("import nothing_of_that_name")
    assert "nothing_of_that_name" in desk.error("model", "test", str(folder))


WHEEL = "only_there-1-py3-none-any.whl"


def wheel(place):
    import zipfile

    with zipfile.ZipFile(place / WHEEL, "w") as archive:
        archive.writestr("only_there.py", "")
        about = "only_there-1.dist-info"
        archive.writestr(
            f"{about}/METADATA", "Metadata-Version: 2.1\nName: only_there\nVersion: 1\n"
        )
        archive.writestr(
            f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{about}/RECORD", "")


def test_pack_and_push_store_the_archive(desk, folder, tmp_path):
    archive = tmp_path / "m.tar.gz"
    said = desk.ok("model", "pack", str(folder), "-o", str(archive))
    assert said.startswith(f"{archive}: 1 files, ")
    with tarfile.open(archive) as packed:
        assert packed.getnames() == ["code/inference.py"]
    said = desk.ok("model", "push", str(archive), "s3://models/text/m.tar.gz")
    assert said == f"s3://models/text/m.tar.gz: {archive.stat().st_size:,} bytes\n"
    with desk.world.objects.open("models", "text/m.tar.gz") as stored:
        assert stored.read() == archive.read_bytes()


def test_push_says_what_is_wrong_before_it_sends(desk, tmp_path):
    file = tmp_path / "m.tar.gz"
    assert "cannot be read" in desk.error("model", "push", str(file), "s3://models/m")
    file.write_bytes(b"x")
    assert "s3://bucket/key" in desk.error("model", "push", str(file), "models/m")


def test_push_of_too_much_is_refused_in_the_servers_words(desk, tmp_path):
    file = tmp_path / "m.tar.gz"
    file.write_bytes(bytes(1024 * 1024 + 1))
    assert "limits.object_bytes" in desk.error("model", "push", str(file), "s3://models/m")


def test_models_are_made_listed_shown_and_removed(desk):
    create = ("model", "create", "text", "--image", "pytorch-inference")
    said = desk.ok(*create, "--data", "s3://models/m", "--env", "A=1", "--env", "B=x=y")
    assert said == "text: created\n"
    assert desk.json("model", "ls") == desk.world.ok("GET", "/v1/models")["models"]
    assert "s3://models/m" in desk.ok("model", "ls")
    assert "B=x=y" in desk.ok("model", "show", "text")
    assert desk.json("model", "show", "text")["environment"] == {"A": "1", "B": "x=y"}
    assert "text" in desk.error(*create)
    assert desk.ok("model", "rm", "text") == "text: removed\n"
    assert desk.json("model", "ls") == []


def test_configs_are_made_listed_shown_and_removed(desk):
    for name in ("old", "new"):
        desk.ok("model", "create", name, "--image", "pytorch-inference")
    variants = (
        "--variant",
        "name=a,model=old,weight=9",
        "--variant",
        "name=b,model=new,instances=2",
    )
    assert desk.ok("config", "create", "ab", *variants) == "ab: created\n"
    (config,) = desk.json("config", "ls")
    assert [each["instance_type"] for each in config["variants"]] == ["ml.c5.xlarge"] * 2
    assert "a (1 x old), b (2 x new)" in desk.ok("config", "ls")
    shown = desk.ok("config", "show", "ab")
    assert "90%" in shown
    assert "10%" in shown
    assert desk.json("config", "show", "ab") == config
    assert desk.ok("config", "rm", "ab") == "ab: removed\n"
    assert desk.json("config", "ls") == []


def test_a_misspelt_key_of_a_variant_is_told(desk):
    line = desk.error("config", "create", "ab", "--variant", "model=m,wieght=2")
    assert line == "error: --variant: unknown key 'wieght'; did you mean 'weight'?"


def test_model_test_takes_what_a_case_says_will_do(desk, folder):
    cases = [
        {"id": "near", "input": {"sentence": "w"}, "expected": {"words": 2}, "tolerance": 1},
        {"id": "far", "input": {"sentence": "w"}, "expected": {"words": 3}, "tolerance": 1},
        {"id": "part", "input": {"sentence": "w"}, "expected": {"words": 1, "at": 0},
         "fields": ["words"]},
    ]  # fmt: skip
    (folder / "test" / "input_data.json").write_text(json.dumps(cases))
    result = desk.run("model", "test", str(folder))
    assert result.stderr == "error: 1 of 3 cases differ: far\n"
    assert "[far]: differs==>$.words: 3 -> 1" in result.stdout


def test_model_test_says_which_options_go_together(desk, folder):
    assert "go with --endpoint" in desk.error("model", "test", str(folder), "--variant", "a")
    line = desk.error("model", "test", str(folder), "--endpoint", "text", "--env", "A=1")
    assert "--env is for cases that run here" in line
