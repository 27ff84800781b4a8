"""Watching: the loop by itself, and the whole command on a terminal."""

import codecs
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time

import pytest

from parkade.apps.cli import watch
from parkade.apps.cli.client import Client, Refused
from parkade.apps.settings import ClientSettings
from tests.builders import minutes
from tests.house import PATIENCE


def client_of(desk, **changes):
    given = {"url": desk.environment["PARKADE_URL"], "token": desk.environment["PARKADE_TOKEN"]}
    return Client(ClientSettings(**{**given, **changes}))


def test_each_look_is_shown_until_somebody_quits(desk):
    desk.world.add("text", amount=minutes(20))
    shown = []
    with client_of(desk) as client:
        watch.follow(client, shown.append, quits=lambda: len(shown) == 3)
    assert [[each["name"] for each in seen.endpoints] for seen in shown] == [["text"]] * 3
    assert not any(seen.trouble for seen in shown)


def test_a_server_that_is_away_is_asked_again_and_its_last_word_kept(desk):
    desk.world.add("text", amount=minutes(20))
    away = []

    async def gateway_without_control(scope, receive, send):
        away.append(scope["path"])
        await send({"type": "http.response.start", "status": 503, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    shown, behind = [], desk.front.behind

    def quits():
        desk.front.behind = behind if len(shown) == 2 else gateway_without_control
        return len(shown) == 3

    with client_of(desk) as client:
        watch.follow(client, shown.append, quits=quits)
    assert [seen.trouble for seen in shown] == ["", "not ready, retrying", ""]
    assert shown[1].endpoints == shown[0].endpoints
    with client_of(desk, url="http://127.0.0.1:1") as nobody:
        seen = watch.look(nobody, shown[0])
    assert (seen.trouble, seen.endpoints) == ("unreachable, retrying", shown[0].endpoints)


def test_a_token_that_is_not_taken_ends_the_watching(desk):
    with client_of(desk, token="wrong") as client, pytest.raises(Refused, match="token"):
        watch.follow(client, print, quits=lambda: False)


class Terminal:
    """The command on a terminal of its own."""

    def __init__(self, environment, *arguments, columns=80):
        self.us, self.them = pty.openpty()
        fcntl.ioctl(self.them, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        self.before = termios.tcgetattr(self.them)
        self.text = ""
        # What is read at once may end within a character.
        self.decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "parkade.apps.cli", *arguments],
            stdin=self.them,
            stdout=self.them,
            stderr=self.them,
            env={**os.environ, **environment, "TERM": "xterm", "COLUMNS": str(columns)},
            start_new_session=True,
        )

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.process.kill()
        self.process.wait()
        os.close(self.us)
        os.close(self.them)

    def read_until(self, pattern):
        deadline = time.monotonic() + PATIENCE
        while not re.search(pattern, self.text):
            left = deadline - time.monotonic()
            assert left > 0, f"no {pattern!r} in {self.text!r}"
            self.read(left)

    def read(self, limit):
        if select.select([self.us], [], [], limit)[0]:
            self.text += self.decoder.decode(os.read(self.us, 65536))

    def type(self, keys):
        os.write(self.us, keys)

    def end(self):
        """Return the exit status, with the terminal as it is then."""
        deadline = time.monotonic() + PATIENCE
        while self.process.poll() is None:
            assert time.monotonic() < deadline, f"it does not end: {self.text!r}"
            self.read(0.02)  # nobody waits for room on a terminal that is read
        return self.process.returncode, termios.tcgetattr(self.them)


@pytest.mark.parametrize("columns", [80, 120])
def test_q_ends_the_watching_and_gives_the_terminal_back(desk, columns):
    desk.world.add("text", amount=minutes(20))
    with Terminal(desk.environment, "watch", columns=columns) as terminal:
        terminal.read_until(r"text.*20 min.*starting")
        terminal.type(b"xq")
        assert terminal.end() == (0, terminal.before)
        assert "\x1b[?1049h" in terminal.text  # the alternate screen


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_watching_and_gives_the_terminal_back(desk, number):
    with Terminal(desk.environment, "watch") as terminal:
        terminal.read_until("Nothing is on the meter")
        terminal.process.send_signal(number)
        assert terminal.end() == (0, terminal.before)


def test_a_terminal_gets_colours(desk):
    desk.world.add("text")
    with Terminal(desk.environment, "ls") as terminal:
        terminal.read_until("starting")
        assert terminal.end()[0] == 0
        assert "\x1b[33m" in terminal.text
