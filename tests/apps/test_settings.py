"""Settings: the file, the environment, the state folder."""

import os
import stat
from datetime import timedelta
from pathlib import Path

import pytest

from parkade.apps import reference
from parkade.apps.serverfile import read_server_file
from parkade.apps.settings import client_settings, server_settings, state_paths
from parkade.apps.statefolder import SOCKET_PATH_LIMIT, StatePaths
from parkade.domain.errors import InvalidInput
from tests.house import ROOT


def written(folder: Path, text: str) -> Path:
    file = folder / "server.yaml"
    file.write_text(text)
    return file


def test_without_a_file_every_setting_has_its_default():
    file = read_server_file(None)
    assert file.limits.max_minutes_ahead == 7 * 24 * 60
    assert file.limits.workers == 64
    assert file.limits.body_bytes == 6_291_456
    assert (file.limits.rate, file.limits.burst) == (10_000, 5_000)
    assert file.initial_provision_minutes == 30
    assert file.warnings.minutes == [10, 2]
    assert file.unmetered == "warn"


def test_an_empty_file_is_the_defaults(tmp_path):
    assert read_server_file(written(tmp_path, "# nothing yet\n")) == read_server_file(None)


def test_what_the_file_names_is_taken_and_the_rest_keeps_its_default(tmp_path):
    file = read_server_file(
        written(tmp_path, "limits: {workers: 3}\nwarnings: {minutes: [2, 30]}\n")
    )
    assert file.limits.workers == 3
    assert file.limits.burst == 5_000
    assert file.lease_rules().warnings == (timedelta(minutes=30), timedelta(minutes=2))


def test_an_image_is_played_by_a_container_or_by_a_command(tmp_path):
    text = "images: {a: script, b: {command: [serve, '{socket}'], listen: socket}}"
    images = read_server_file(written(tmp_path, text)).images
    assert images["a"] == "script"
    own = images["b"]
    assert (own.command, own.listen, own.health) == (["serve", "{socket}"], "socket", "/ping")
    assert own.environment == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("limitz: {}", "unknown setting limitz: did you mean 'limits'?"),
        ("images: {own: skript}", "images.own: Input should be 'script' or 'multi'"),
        (
            "images: {own: {comand: [x]}}",
            "unknown setting images.own.comand: did you mean 'command'?",
        ),
        ("images: {own: {command: []}}", "images.own.command: List should have at least 1 item"),
        ("images: {own: {command: [x], health: ping}}", "images.own.health: String should match"),
        (
            "images: {own: {command: [x], listen: socket}}",
            "images.own: listen is socket, but neither command nor environment has {socket}",
        ),
        ("limits: {worker: 3}", "unknown setting limits.worker: did you mean 'workers'?"),
        ("limits: {qqq: 3}", "unknown setting limits.qqq: known are body_bytes"),
        ("limits: {workers: 0}", "limits.workers: Input should be greater than or equal to 1"),
        ("limits: {workers: many}", "limits.workers: Input should be a valid integer"),
        ("initial_provision_minutes: -1", "initial_provision_minutes"),
        ("warnings: {webhook: ftp://x}", "warnings.webhook"),
        ("unmetered: ignore", "unmetered"),
        ("- a list", "the file: Input should be a valid dictionary"),
        ("a: [", "is not YAML"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(tmp_path, text, said):
    with pytest.raises(InvalidInput) as refused:
        read_server_file(written(tmp_path, text))
    assert said in refused.value.message
    assert str(tmp_path) in refused.value.message


def test_a_file_that_is_not_there_is_refused_by_name(tmp_path):
    with pytest.raises(InvalidInput, match="No such file"):
        read_server_file(tmp_path / "absent.yaml")


def test_the_state_folder_is_the_one_given_then_the_environments_then_the_platforms(tmp_path):
    environment = {"PARKADE_STATE": str(tmp_path / "b")}
    assert state_paths(tmp_path / "a", environment).state == tmp_path / "a"
    assert state_paths(None, environment).state == tmp_path / "b"
    assert state_paths(None, {}).state.name == "parkade"


def test_folders_are_for_this_user_alone(tmp_path):
    paths = StatePaths(state=tmp_path / "state")
    paths.make()
    for folder in (paths.state, paths.objects, paths.run, paths.sockets):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_state_folder_that_cannot_be_made_says_which_and_why(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidInput, match=r"file/state cannot be made: Not a directory"):
        StatePaths(state=tmp_path / "file" / "state").make()


@pytest.mark.parametrize("depth", [1, 30])
def test_socket_paths_stay_short_enough_however_deep_the_state_folder_is(tmp_path, depth):
    paths = StatePaths(state=tmp_path.joinpath(*["folder"] * depth))
    assert len(os.fsencode(paths.sockets / "0123456789ab.sock")) <= SOCKET_PATH_LIMIT


def test_a_worker_inherits_only_what_it_needs():
    environment = {"PATH": "/bin", "LC_ALL": "C", "PARKADE_TOKEN": "secret", "AWS_KEY": "secret"}
    settings = server_settings(environment=environment)
    assert dict(settings.worker_environment) == {"PATH": "/bin", "LC_ALL": "C"}


def test_the_cli_takes_url_and_token_from_the_environment_then_from_the_state(tmp_path):
    paths = StatePaths(state=tmp_path)
    paths.make()
    assert client_settings(paths, {}).url == "http://127.0.0.1:8700"
    assert client_settings(paths, {}).token == ""
    paths.url_file.write_text("http://127.0.0.1:9999\n")
    paths.admin_token.write_text("pk_admin\n")
    assert client_settings(paths, {}).url == "http://127.0.0.1:9999"
    assert client_settings(paths, {}).token == "pk_admin"
    environment = {"PARKADE_URL": "http://127.0.0.1:1", "PARKADE_TOKEN": "pk_other"}
    assert client_settings(paths, environment).url == "http://127.0.0.1:1"
    assert client_settings(paths, environment).token == "pk_other"


def test_whoever_reads_the_url_while_it_is_written_reads_a_whole_one(tmp_path):
    paths = StatePaths(state=tmp_path)
    paths.make()
    paths.tell_url("http://127.0.0.1:1")
    with paths.url_file.open() as reader:
        paths.tell_url("http://127.0.0.1:2")
        assert reader.read() == "http://127.0.0.1:1\n"
    assert client_settings(paths, {}).url == "http://127.0.0.1:2"
    assert [path.name for path in paths.run.iterdir() if path.is_file()] == ["url"]


def test_the_reference_of_settings_is_the_one_that_the_code_makes():
    assert (ROOT / "docs/configuration.md").read_text() == reference.configuration()
