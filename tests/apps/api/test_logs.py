"""Logs of instances: their ends, and what is written afterwards."""

import threading
from contextlib import contextmanager

import httpx
import pytest

from parkade.apps.api import logs
from parkade.runtime import logs as written
from tests.apps.api.world import SECRETS, served
from tests.house import PATIENCE


@pytest.fixture
def files(world, tmp_path):
    """Two instances' logs, known to the world."""
    folder = tmp_path / "falcon"
    folder.mkdir()
    paths = [folder / "blue-0123456789ab.log", folder / "green-two-ba9876543210.log"]
    world.host.files["falcon"] = paths
    return paths


def read(world, query=""):
    answer = world.call("GET", f"/v1/endpoints/falcon/logs?{query}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    return answer.text.splitlines()


def test_lines_begin_with_who_wrote_them(world, files):
    files[0].write_text("one\ntwo\n")
    files[1].write_text("three\nunfinished")
    assert read(world) == [
        "blue/0123456789ab one",
        "blue/0123456789ab two",
        "green-two/ba9876543210 three",
        "green-two/ba9876543210 unfinished",
    ]


@pytest.mark.parametrize("ending", ["\n", ""])
@pytest.mark.parametrize("count", [0, 1, 2, 5, 100])
def test_a_tail_is_the_last_lines(world, files, count, ending):
    lines = [f"line {number}" for number in range(5)]
    files[0].write_text("\n".join(lines) + ending)
    expected = lines[-count:] if count else []
    assert read(world, f"tail={count}") == [f"blue/0123456789ab {each}" for each in expected]


def test_a_tail_of_a_large_log_is_read_from_its_end(world, files):
    files[0].write_text("".join(f"{number:0100}\n" for number in range(20_000)))
    lines = read(world, "tail=2000")
    assert len(lines) == 2000
    assert lines[0].endswith("18000")
    assert lines[-1].endswith("19999")


def test_a_tail_reaches_into_the_rotated_part(world, files):
    files[0].write_text("one\ntwo\nthree\n")
    assert written.rotate(files[0], 10)
    with files[0].open("a") as log:
        log.write("four\n")
    assert [line.split()[-1] for line in read(world, "tail=3")] == ["two", "three", "four"]


def test_empty_lines_and_bytes_of_no_encoding_pass_through(world, files):
    files[0].write_bytes(b"a\n\n\xff\xfe\r\nb\n")
    answer = world.call("GET", "/v1/endpoints/falcon/logs")
    assert answer.content == b"".join(
        b"blue/0123456789ab " + line + b"\n" for line in (b"a", b"", b"\xff\xfe\r", b"b")
    )


def test_an_endpoint_without_logs_has_none_and_an_unknown_one_is_not_found(world):
    world.add()
    assert read(world) == []
    status, error = world.error("GET", "/v1/endpoints/nobody/logs")
    assert (status, error["code"]) == (404, "endpoint_not_found")


@pytest.mark.parametrize("tail", ["-1", "100001", "all"])
def test_a_wrong_tail_is_named(world, tail):
    world.add()
    assert world.error("GET", f"/v1/endpoints/falcon/logs?tail={tail}")[1]["field"] == "tail"


# -- following ----------------------------------------------------------------------------


@contextmanager
def follow(url, tail=100):
    with httpx.stream(
        "GET",
        f"{url}/v1/endpoints/falcon/logs?follow=true&tail={tail}",
        headers={"Authorization": SECRETS["operator"]},
        timeout=PATIENCE,
    ) as answer:
        assert answer.status_code == 200, answer.read()
        yield answer.iter_lines()


@pytest.fixture(autouse=True)
def _prompt(monkeypatch):
    monkeypatch.setattr(logs, "INTERVAL", 0.01)


def append(path, text):
    with path.open("a") as log:
        log.write(text)


def test_what_is_written_later_follows_in_whole_lines(world, files):
    append(files[0], "one\ntwo\nthr")
    with served(world.app) as url, follow(url, tail=2) as lines:
        assert next(lines) == "blue/0123456789ab two"
        append(files[0], "ee\nfour\n")
        assert next(lines) == "blue/0123456789ab three"
        assert next(lines) == "blue/0123456789ab four"


def test_a_new_instance_is_followed_from_its_beginning(world, files, tmp_path):
    append(files[0], "one\n")
    with served(world.app) as url, follow(url) as lines:
        assert next(lines) == "blue/0123456789ab one"
        new = tmp_path / "falcon" / "blue-cccccccccccc.log"
        append(new, "first\nsecond\n")
        world.host.files["falcon"] = [*files, new]
        assert next(lines) == "blue/cccccccccccc first"
        assert next(lines) == "blue/cccccccccccc second"


def test_following_goes_on_through_rotations_without_loss(world, files):
    append(files[0], "0\n")
    with served(world.app) as url, follow(url) as lines:
        assert next(lines).split()[-1] == "0"
        for number in range(1, 400):
            append(files[0], f"{number}\n")
            if number % 100 == 50:
                assert written.rotate(files[0], files[0].stat().st_size - 1)
            if number % 100 == 0:
                # One older part is kept: a reader must have seen it before the next rotation.
                for expected in range(number - 99, number + 1):
                    assert next(lines).split()[-1] == str(expected)
        for expected in range(301, 400):
            assert next(lines).split()[-1] == str(expected)


def test_following_goes_on_when_a_log_is_emptied(world, files):
    append(files[0], "a long first line\n")
    with served(world.app) as url, follow(url) as lines:
        assert next(lines).endswith("a long first line")
        files[0].write_text("")
        append(files[0], "new\n")
        assert next(lines).endswith("new")


def test_a_line_without_an_end_does_not_fill_the_memory(files, monkeypatch):
    monkeypatch.setattr(logs, "_LONGEST_LINE", 100_000)
    reader = logs.Reader(lambda: files[:1])
    append(files[0], "x" * 1_000_000)
    told = b"".join(reader.more())
    assert told.count(b"\n") >= 5
    assert told.replace(b"blue/0123456789ab ", b"").replace(b"\n", b"").count(b"x") >= 800_000


def test_a_rotation_does_not_begin_between_a_look_and_a_read(files, monkeypatch):
    """A reader that saw no rotation, and then read a rotated log, missed what had moved."""
    reader = logs.Reader(lambda: files[:1])
    append(files[0], "one\n")
    assert b"".join(reader.more()) == b"blue/0123456789ab one\n"
    append(files[0], "two\n")
    look = logs._identity

    def rotate():
        assert written.rotate(files[0], 7)
        append(files[0], "three\nfour\n")

    rotation = threading.Thread(target=rotate)

    def slow_look(file):
        seen = look(file)
        if not rotation.ident:
            rotation.start()
            rotation.join(0.2)  # as long as it takes where nothing holds it off
        return seen

    monkeypatch.setattr(logs, "_identity", slow_look)
    told = b"".join(reader.more())
    rotation.join()
    told += b"".join(reader.more())
    assert told.replace(b"blue/0123456789ab ", b"").split() == [b"two", b"three", b"four"]


def test_a_log_that_was_rotated_before_it_was_seen_is_told_from_its_beginning(files):
    reader = logs.Reader(lambda: files[:1])
    append(files[0], "one\n")
    assert written.rotate(files[0], 3)
    append(files[0], "two\n")
    assert b"".join(reader.more()) == b"blue/0123456789ab one\nblue/0123456789ab two\n"


def test_following_ends_when_the_client_goes_or_its_token_is_revoked(world, files):
    append(files[0], "one\n")
    looks = []

    def find(endpoint_name):
        looks.append(endpoint_name)
        return tuple(files)

    world.host.logs = find
    with served(world.app) as url:
        before = threading.active_count()
        with follow(url) as lines:
            next(lines)
        with follow(url) as lines:
            next(lines)
            world.services.tokens.revoke("operator", actor="admin")
            assert list(lines) == []
        assert threading.active_count() <= before
        settled = len(looks)
        assert httpx.get(f"{url}/v1/health/live", timeout=PATIENCE).status_code == 200
        assert len(looks) == settled
