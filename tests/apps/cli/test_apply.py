"""apply, destroy, status and projects, against a real server with services in memory."""

import json
import os
import signal

import pytest
import yaml

from parkade.apps.cli import applywait
from parkade.domain.project.part import Kind
from parkade.runtime import packing
from tests.apps.cli.desk import desk as open_desk
from tests.apps.cli.test_watch import Terminal
from tests.builders import minutes

ENDPOINT = "TextDemo-words"
STAGES = {"Demo": {}, "Other": {"endpoints": {"words": {"lease": {"minutes": 5}}}}}
FILE = {
    "project": "Text",
    "stage": "Demo",
    "models": {"model-a": {"source": "model-a", "image": "pytorch-inference"}},
    "endpoints": {
        "words": {
            "variants": [{"name": "Model-A", "model": "model-a", "type": "ml.c5.xlarge"}],
            "lease": {"minutes": 60},
        }
    },
    "routes": {"/text": {"endpoint": "words"}},
    "stages": STAGES,
}


@pytest.fixture
def desk(tmp_path):
    with open_desk(tmp_path) as opened:
        opened.environment["XDG_CACHE_HOME"] = str(tmp_path / "cache")
        opened.folder = tmp_path / "work"
        (opened.folder / "model-a" / "code").mkdir(parents=True)
        (opened.folder / "model-a" / "code" / "inference.py").write_text("def model_fn(f): ...\n")
        opened.file = opened.folder / "parkade.yaml"
        write(opened)
        yield opened
        while opened.world.pending:
            opened.world.pending.pop().close()


def write(desk, **changes):
    desk.file.write_text(yaml.safe_dump(FILE | changes))


def with_weight(weight):
    variant = {"name": "Model-A", "model": "model-a", "type": "ml.c5.xlarge", "weight": weight}
    return {"words": {"variants": [variant], "lease": {"minutes": 60}}}


def shelf(desk, kind):
    return desk.world.services.projecting.shelves[kind]


def store(desk):
    return desk.world.services.projecting.desk.store


def running(desk):
    return [each.id for each in store(desk).running().records]


def go_on(desk):
    for each in running(desk):
        desk.world.apply_on(each)


def at_a_look(desk, do=None):
    """Do something, or let things go on, whenever an application is looked at."""

    def looks_on(path):
        if "/applications/" in path:
            (do or (lambda: go_on(desk)))()

    desk.front.looks_on = looks_on


def put(desk, *arguments):
    """Apply the file to its end; return the result."""
    at_a_look(desk)
    result = desk.run("apply", "--file", str(desk.file), "--yes", *arguments)
    assert result.exit_code == 0, result.output
    return result


def stored(desk):
    names = [each.name for each in desk.world.objects.buckets()]
    return [each.key for name in names for each in desk.world.objects.ls(name)]


def everything(desk):
    """Return all of the server that an apply could have changed."""
    parts = {kind: dict(it.parts) for kind, it in desk.world.services.projecting.shelves.items()}
    return parts, stored(desk), store(desk).all().records, desk.world.changes


# -- apply --------------------------------------------------------------------------------


def test_a_file_is_shown_stored_and_applied_step_by_step(desk):
    result = put(desk)
    assert "TextDemo: 3 to create\n" in result.stdout
    assert f"  + create endpoint {ENDPOINT}\n    173.74 USD a month, while it runs" in result.stdout
    assert "price  nothing before, 173.74 USD a month after, while all of it runs" in result.stdout
    assert "TextDemo: 3 changes are made, after " in result.stdout
    assert f"create endpoint {ENDPOINT} done: it is there" in result.stderr
    assert "model-a: storing " in result.stderr
    assert f"call it: POST {desk.environment['PARKADE_URL']}/text" in result.stderr
    digest = packing.digest(desk.folder / "model-a")
    assert stored(desk) == [f"TextDemo/{digest}.tar.gz"]
    (model,) = shelf(desk, Kind.MODEL).parts.values()
    assert model["data_url"] == f"s3://textdemo-archive/TextDemo/{digest}.tar.gz"
    assert shelf(desk, Kind.ROUTE).parts["/text"]["endpoint_name"] == ENDPOINT


def test_applying_again_does_nothing_and_says_so_on_one_line(desk):
    put(desk)
    before = everything(desk)
    assert put(desk).stdout == "TextDemo: nothing differs\n"
    assert json.loads(put(desk, "--json").stdout) == {"changes": []}
    arguments = ("apply", "--file", str(desk.file), "--dry-run")
    assert desk.ok(*arguments) == "TextDemo: nothing differs\n"
    assert desk.json(*arguments) == {"changes": []}
    assert everything(desk) == before


def test_what_changed_is_shown_member_by_member_before_it_is_done(desk):
    put(desk)
    write(desk, endpoints=with_weight(3))
    shown = desk.ok("apply", "--file", str(desk.file), "--dry-run")
    assert "TextDemo: 1 to change, 2 stay as they are\n" in shown
    assert f"  ~ change endpoint {ENDPOINT}\n" in shown
    assert "InitialVariantWeight" in shown
    assert "→ 3" in shown
    assert "TextDemo: 1 change is made" in put(desk).stdout


def test_another_content_of_a_folder_is_another_model(desk):
    put(desk)
    (former,) = shelf(desk, Kind.MODEL).parts
    (desk.folder / "model-a" / "code" / "inference.py").write_text("def model_fn(f): return 1\n")
    shown = put(desk).stdout
    (model,) = shelf(desk, Kind.MODEL).parts
    assert f"-/+ replace model {model}\n    in place of {former}\n" in shown
    assert "data_url: s3://textdemo-archive/" in shown
    assert len(stored(desk)) == 2


def test_a_dry_run_changes_nothing_whatever_it_shows(desk):
    before = everything(desk)
    result = desk.run("apply", "--file", str(desk.file), "--dry-run")
    assert result.exit_code == 0
    assert "3 to create" in result.stdout
    told = desk.json("apply", "--file", str(desk.file), "--dry-run")
    assert [each["verb"] for each in told["changes"]] == ["create"] * 3
    assert everything(desk) == before


def test_problems_end_with_status_1_and_nothing_is_changed(desk):
    shelf(desk, Kind.ENDPOINT).parts[ENDPOINT] = {"by": "hand"}
    before = everything(desk)
    result = desk.run("apply", "--file", str(desk.file), "--dry-run")
    assert result.exit_code == 1
    assert f"problem  endpoint {ENDPOINT}: " in result.stdout
    result = desk.run("apply", "--file", str(desk.file), "--yes")
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1].startswith(f"error: TextDemo: endpoint {ENDPOINT}: ")
    assert everything(desk) == before
    assert put(desk, "--adopt").exit_code == 0


def test_an_object_that_is_not_there_is_a_problem(desk):
    write(desk, models={"model-a": {"data": "s3://models/none.tar.gz", "image": "sklearn"}})
    result = desk.run("apply", "--file", str(desk.file), "--yes")
    assert result.exit_code == 1
    assert "model model-a: there is no object s3://models/none.tar.gz" in result.stderr
    desk.world.objects.keep("models", "none.tar.gz", b"x")
    put(desk)
    (model,) = shelf(desk, Kind.MODEL).parts.values()
    assert model["data_url"] == "s3://models/none.tar.gz"
    assert stored(desk) == ["none.tar.gz"]


def test_without_a_terminal_nobody_is_asked_and_nothing_changed(desk):
    before = everything(desk)
    result = desk.run("apply", "--file", str(desk.file), stdin="y\n")
    assert result.exit_code == 1
    assert "3 to create" in result.stdout
    assert "there is no terminal to ask on, and nothing was changed; " in result.stderr
    assert "give --yes" in result.stderr
    assert everything(desk) == before


def test_on_a_terminal_it_asks_and_draws_what_goes_on(desk):
    at_a_look(desk)
    with Terminal(desk.environment, "apply", "--file", str(desk.file)) as terminal:
        terminal.read_until(r"Apply these 3 changes at http://127\.0\.0\.1:\d+\? \[y/N\]")
        assert everything(desk)[0][Kind.ROUTE] == {}
        assert stored(desk) == []
        terminal.type(b"y\r")
        terminal.read_until(r"3 changes are made, after ")
        assert terminal.end()[0] == 0
    assert "\x1b[32m✓" in terminal.text


def test_no_is_an_answer(desk):
    before = everything(desk)
    with Terminal(desk.environment, "apply", "--file", str(desk.file)) as terminal:
        terminal.read_until(r"\[y/N\]")
        terminal.type(b"\r")
        terminal.read_until("Aborted")
        assert terminal.end()[0] == 1
    assert everything(desk) == before


def test_what_changed_since_it_was_shown_is_not_applied(desk):
    with Terminal(desk.environment, "apply", "--file", str(desk.file)) as terminal:
        terminal.read_until(r"\[y/N\]")
        shelf(desk, Kind.ENDPOINT).parts[ENDPOINT] = {"by": "hand"}
        terminal.type(b"y\r")
        terminal.read_until("has changed since plan")
        assert terminal.end()[0] == 1
    assert shelf(desk, Kind.ENDPOINT).parts == {ENDPOINT: {"by": "hand"}}


def test_ctrl_c_ends_the_looking_on_alone(desk):
    shelf(desk, Kind.ENDPOINT).slow.add(ENDPOINT)
    at_a_look(desk)
    with Terminal(desk.environment, "apply", "--file", str(desk.file), "--yes") as terminal:
        terminal.read_until("it is starting")
        os.kill(terminal.process.pid, signal.SIGINT)
        terminal.read_until(r"goes on; look again: parkade status --project TextDemo")
        assert terminal.end()[0] == applywait.INTERRUPTED
    assert len(running(desk)) == 1


@pytest.mark.parametrize(
    ("purpose", "again"), [("apply", "apply"), ("roll_back", "apply"), ("destroy", "destroy")]
)
def test_what_failed_is_to_be_done_again_and_not_the_opposite(purpose, again):
    view = {"project": "TextDemo", "purpose": purpose, "status": "failed", "cancelled_by": ""}
    with pytest.raises(applywait.NotApplied) as raised:
        applywait.require_success(view | {"reason": "it is in use"})
    assert raised.value.hint.endswith(f"then {again} again")


def test_a_failure_ends_with_its_reason_and_status_1(desk):
    shelf(desk, Kind.ENDPOINT).failing[ENDPOINT] = "no worker answers"
    at_a_look(desk)
    result = desk.run("apply", "--file", str(desk.file), "--yes")
    assert result.exit_code == 1
    last = result.stderr.splitlines()[-1]
    assert last.startswith("error: TextDemo: failed: ")
    assert "no worker answers" in last
    assert "then apply again" in last
    shelf(desk, Kind.ENDPOINT).failing.clear()
    put(desk)
    assert set(shelf(desk, Kind.ENDPOINT).parts) == {ENDPOINT}


def test_what_is_under_way_is_waited_for_and_compared_anew(desk):
    result = desk.run("apply", "--file", str(desk.file), "--yes", "--no-wait")
    assert result.exit_code == 0
    (begun,) = running(desk)
    assert f"application {begun} has begun; look on: parkade status" in result.stdout
    again = put(desk)
    assert f"application {begun} of TextDemo by admin is under way; waiting" in again.stderr
    assert again.stdout == "TextDemo: nothing differs\n"


def test_who_will_not_wait_is_refused_while_another_one_applies(desk):
    desk.ok("apply", "--file", str(desk.file), "--yes", "--no-wait")
    before = everything(desk)
    write(desk, endpoints=with_weight(2))
    result = desk.run("apply", "--file", str(desk.file), "--yes", "--no-wait")
    assert result.exit_code == 1
    assert "is under way; leave out --no-wait" in result.stderr
    assert everything(desk) == before


def test_json_tells_the_changes_and_how_it_ended(desk):
    told = json.loads(put(desk, "--json").stdout)
    assert [each["key"] for each in told["changes"]] == ["model-a", "words", "/text"]
    assert told["application"]["status"] == "succeeded"


def test_what_is_no_part_of_anything_is_kept_by_the_server_too(desk):
    put(desk)
    write(desk, pipeline={"branch": "other"})
    assert put(desk).stdout == "TextDemo: nothing differs\n"
    document = desk.world.ok("GET", "/v1/projects/TextDemo")["document"]
    assert document["pipeline"] == {"branch": "other"}


def test_an_archive_that_somebody_removed_is_stored_again(desk):
    put(desk)
    (key,) = stored(desk)
    desk.world.objects.delete("textdemo-archive", key)
    assert put(desk).stdout == "TextDemo: nothing differs\n"
    assert stored(desk) == [key]


# -- the file -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["parkade.yaml", "parkade.yml", "parkade.json", "parkade.toml"])
def test_the_file_of_the_current_folder_is_found(desk, monkeypatch, name):
    monkeypatch.chdir(desk.folder)
    desk.file.unlink()
    text = json.dumps(FILE) if not name.endswith("toml") else TOML
    (desk.folder / name).write_text(text)
    assert "3 to create" in desk.ok("apply", "--dry-run")


TOML = """
project = "Text"
stage = "Demo"
models.model-a = {source = "model-a", image = "pytorch-inference"}
routes."/text".endpoint = "words"
[[endpoints.words.variants]]
name = "Model-A"
model = "model-a"
type = "ml.c5.xlarge"
[stages.Demo]
"""


def test_none_and_several_files_are_told(desk, monkeypatch):
    monkeypatch.chdir(desk.folder)
    (desk.folder / "parkade.toml").write_text("")
    assert "several project files in this folder: parkade.yaml, parkade.toml" in desk.error("apply")
    monkeypatch.chdir(desk.folder / "model-a")
    assert "there is no parkade.yaml in this folder; name a file with --file" in desk.error("apply")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("project: Text\nmodles: {}\n", "parkade.yaml:2"),
        ("project: [Text\n", "parkade.yaml:"),
        ("project: Text\nmodels: {a: {source: none, image: x}}\n", "there is no folder"),
        ("x" * 10 * 1024 * 1024, "larger than 1 MB"),
    ],
)
def test_a_bad_file_is_told_with_its_lines_and_nothing_is_changed(desk, text, told):
    before = everything(desk)
    desk.file.write_text(text)
    for arguments in (("--yes",), ("--dry-run",)):
        result = desk.run("apply", "--file", str(desk.file), *arguments)
        assert result.exit_code == 1
        assert result.stdout == ""
        lines = result.stderr.splitlines()
        assert any(line.startswith("error: ") and told in line for line in lines), lines
    assert everything(desk) == before


def test_a_stage_is_a_project_of_its_own(desk):
    put(desk, "--stage", "Other")
    assert set(shelf(desk, Kind.ENDPOINT).parts) == {"TextOther-words"}


# -- status -------------------------------------------------------------------------------


def test_the_page_has_every_part_and_says_whether_the_file_differs(desk):
    put(desk)
    desk.world.add(ENDPOINT, amount=minutes(20))
    desk.world.run_endpoint(ENDPOINT)
    page = desk.ok("status", "--file", str(desk.file))
    assert page.startswith("TextDemo\nlast   ✓ done, ")
    assert "file   parkade.yaml does not differ from what is there" in page
    lines = {line.split()[0]: line for line in page.splitlines() if line.strip()}
    assert "running" in lines["words"]
    assert "20 min" in lines["words"]
    assert f"{desk.environment['PARKADE_URL']}/text" in lines["/text"]
    assert "serves words; TextDemo-model-a-" in lines["model-a"]
    write(desk, endpoints=with_weight(3))
    page = desk.ok("status", "--file", str(desk.file))
    assert "parkade.yaml differs: 1 to change, 2 stay as they are; see: parkade apply" in page
    told = desk.json("status", "--file", str(desk.file))
    assert len(told["file"]["difference"]["changes"]) == 1
    assert [each["kind"] for each in told["parts"]] == ["model", "endpoint", "route"]


def test_a_file_that_cannot_be_applied_hides_nothing_of_the_page(desk):
    put(desk)
    write(desk, models={"model-a": {"source": "gone", "image": "pytorch-inference"}})
    page = desk.ok("status", "--file", str(desk.file))
    assert "there is no folder" in page
    assert "/text" in page


def test_a_file_that_the_server_refuses_hides_nothing_of_the_page(desk):
    put(desk)
    write(desk, models=FILE["models"] | {"falcon": {"jumpstart": "falcon-40b"}})
    page = desk.ok("status", "--file", str(desk.file))
    assert "jumpstart is on AWS alone" in page
    assert "/text" in page


def test_a_file_of_which_nothing_was_applied_says_how_to_begin(desk):
    told = desk.error("status", "--file", str(desk.file))
    assert "nothing of parkade.yaml was applied yet; begin with: parkade apply" in told


def test_a_project_is_named_instead_of_a_file(desk, monkeypatch, tmp_path):
    put(desk)
    assert desk.ok("status", "--project", "TextDemo").startswith("TextDemo\n")
    assert desk.json("status", "--project", "TextDemo")["file"] is None
    monkeypatch.chdir(tmp_path)
    assert "name a project with --project: TextDemo" in desk.error("status")
    told = desk.error("status", "--project", "TextDmo")
    assert "TextDemo" in told
    assert "parkade projects ls" in told
    assert "exclude each other" in desk.error("status", "-p", "TextDemo", "-s", "Demo")


def test_how_far_an_application_has_come_is_on_the_page(desk):
    shelf(desk, Kind.ENDPOINT).slow.add(ENDPOINT)
    desk.ok("apply", "--file", str(desk.file), "--yes", "--no-wait")
    go_on(desk)
    page = desk.ok("status", "--project", "TextDemo")
    assert "◌ under way" in page
    assert "1 of 3 steps are done" in page
    assert "✗ missing" in page


# -- destroy ------------------------------------------------------------------------------


def test_destroying_shows_asks_and_follows(desk):
    put(desk)
    shelf(desk, Kind.ENDPOINT).left = ("captured data below s3://captured/",)
    before = everything(desk)
    result = desk.run("destroy", "--file", str(desk.file))
    assert result.exit_code == 1
    assert "TextDemo: 3 to remove" in result.stdout
    assert "stays  captured data below s3://captured/" in result.stdout
    assert "there is no terminal to ask on" in result.stderr
    assert everything(desk) == before
    result = desk.run("destroy", "--project", "TextDemo", "--yes")
    assert result.exit_code == 0
    assert "TextDemo: 3 changes are made" in result.stdout
    assert "stays: captured data below s3://captured/" in result.stderr
    assert [dict(each.parts) for each in desk.world.services.projecting.shelves.values()] == [
        {} for _ in Kind
    ]
    assert "there is no project" in desk.error("destroy", "--project", "TextDemo", "--yes")


# -- projects -----------------------------------------------------------------------------


def test_projects_are_listed_with_how_the_last_application_went(desk):
    assert "No projects; begin with: parkade init" in desk.run("projects", "ls").stderr
    put(desk)
    lines = desk.ok("projects", "ls").splitlines()
    assert lines[-1].split()[:2] == ["TextDemo", "3"]
    assert lines[-1].rstrip().endswith("✓ done")
    assert [each["prefix"] for each in desk.json("projects", "ls")] == ["TextDemo"]
    store(desk).damage("TextDemo", "it is garbled")
    assert "TextDemo: it is garbled" in desk.run("projects", "ls").stderr


def test_what_was_applied_is_listed(desk):
    put(desk)
    desk.world.clock.advance(minutes(1))
    write(desk, endpoints=with_weight(3))
    put(desk)
    rows = desk.ok("projects", "history", "--project", "TextDemo").splitlines()[2:]
    assert [line.split()[5] for line in rows] == ["admin", "admin"]
    assert len(desk.json("projects", "history", "--file", str(desk.file))) == 2


def test_what_is_being_applied_is_called_off(desk):
    assert "there is no project" in desk.error("projects", "cancel", "--project", "TextDemo")
    shelf(desk, Kind.ENDPOINT).slow.add(ENDPOINT)
    desk.ok("apply", "--file", str(desk.file), "--yes", "--no-wait")
    go_on(desk)
    at_a_look(desk)
    told = desk.ok("projects", "cancel", "--file", str(desk.file))
    assert "is called off; what was done stays" in told
    assert running(desk) == []
    assert "nothing of TextDemo is being applied" in desk.error(
        "projects", "cancel", "-p", "TextDemo"
    )


def test_the_document_before_is_applied(desk):
    put(desk)
    first = dict(shelf(desk, Kind.ENDPOINT).parts)
    write(desk, endpoints=with_weight(3))
    put(desk)
    assert dict(shelf(desk, Kind.ENDPOINT).parts) != first
    told = desk.ok("projects", "rollback", "--project", "TextDemo")
    assert "TextDemo: 1 change is made" in told
    assert dict(shelf(desk, Kind.ENDPOINT).parts) == first
