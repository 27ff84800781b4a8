"""The commands on the server itself, and the help."""

import shlex
import subprocess
from importlib import metadata
from pathlib import Path

import pytest
import typer

from parkade.apps.cli.main import app
from parkade.apps.statefolder import StatePaths


def test_env_prints_lines_that_a_shell_takes(desk):
    paths = StatePaths(state=Path(desk.environment["PARKADE_STATE"]))
    paths.make()
    paths.admin_token.write_text("it's-the-token\n")
    paths.url_file.write_text("http://127.0.0.1:8765\n")
    printed = desk.ok("env")
    told = subprocess.run(
        ["sh", "-c", f'{printed}\nprintf %s "$PARKADE_URL $PARKADE_TOKEN"'],
        capture_output=True,
        text=True,
        check=True,
    )
    # Not what the environment has, but what the state folder says.
    assert told.stdout == "http://127.0.0.1:8765 it's-the-token"
    assert [shlex.split(line)[0] for line in printed.splitlines()] == ["export", "export"]


def test_env_of_a_state_that_never_ran_says_how_to_make_one(desk):
    line = desk.error("env")
    assert "no admin token" in line
    assert "parkade up" in line


def test_reload_tells_what_was_taken_up(desk):
    assert desk.ok("reload") == "taken up: limits.workers\n"
    desk.world.reloaded.clear()
    assert desk.ok("reload") == "nothing changed\n"


def test_version_names_the_version(desk):
    assert desk.ok("version").startswith(f"parkade {metadata.version('parkade')} (Python 3.")
    assert desk.ok("--version") == f"parkade {metadata.version('parkade')}\n"


def leaves(command, *words):
    """Go through all commands: the words that call each, and what it says of itself."""
    below = getattr(command, "commands", {})
    for name, each in below.items():
        if not each.hidden:
            yield from leaves(each, *words, name)
    if not below:
        yield " ".join(words), command.help


COMMANDS = dict(leaves(typer.main.get_command(app)))


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_with_an_example(command):
    _, _, example = COMMANDS[command].partition("Example")
    assert f"parkade {command}" in example


def test_help_is_shown_with_its_example(desk):
    assert "Example: parkade ls --json" in desk.ok("ls", "--help")


def test_the_manual_has_every_command():
    manual = (Path(__file__).parents[3] / "docs" / "cli.md").read_text()
    missing = [each for each in COMMANDS if f"parkade {each}" not in manual]
    assert not missing


def test_help_lists_the_commands_by_what_they_are_for(desk):
    text = desk.ok("--help")
    panels = ["Start here", "Models", "Endpoints on the meter", "Who may", "See what is going on"]
    places = [text.index(panel) for panel in panels]
    assert places == sorted(places)
    assert "First steps" in text


def test_no_auth_on_a_public_address_is_refused(desk):
    line = desk.error("up", "--host", "0.0.0.0", "--no-auth")
    assert "--no-auth is refused on 0.0.0.0" in line


def test_watch_without_a_terminal_points_at_ls(desk):
    assert desk.error("watch") == "error: watch needs a terminal; use: parkade ls"
