import os
import threading
from pathlib import Path

from parkade.runtime import logs


def write(log, text):
    descriptor = logs.open_to_append(log)
    os.write(descriptor, text.encode())
    os.close(descriptor)


def test_a_log_is_rotated_under_its_writer_without_losing_a_line(tmp_path):
    log = tmp_path / "falcon" / "blue-1.log"
    writer = logs.open_to_append(log)
    try:
        os.write(writer, b"first\n" * 20)
        assert not logs.rotate(log, 120)
        os.write(writer, b"second\n")
        assert logs.rotate(log, 120)
        os.write(writer, b"third\n")
    finally:
        os.close(writer)
    assert logs.older(log).read_bytes() == b"first\n" * 20 + b"second\n"
    assert log.read_bytes() == b"third\n"


def test_of_a_log_that_grew_without_measure_its_end_is_kept(tmp_path):
    log = tmp_path / "falcon" / "blue-1.log"
    write(log, "x" * 5000 + "the end\n")
    assert logs.rotate(log, 100)
    assert logs.older(log).read_text() == "x" * 92 + "the end\n"
    assert log.read_text() == ""


def test_one_older_file_is_kept(tmp_path):
    log = tmp_path / "falcon" / "blue-1.log"
    for text in ("one\n", "two\n", "three\n"):
        write(log, text)
        logs.rotate(log, 3)
    assert sorted(path.name for path in log.parent.iterdir()) == ["blue-1.log", "blue-1.log.1"]
    assert logs.older(log).read_text() == "three\n"
    assert not logs.rotate(tmp_path / "absent.log", 1)


def test_a_tail_has_the_last_lines_of_this_life_only(tmp_path):
    log = tmp_path / "falcon" / "blue-1.log"
    write(log, "from another life\n")
    begins = log.stat().st_size
    assert logs.tail(log, since=begins) == ""
    write(log, "a\n\nb  \nc")
    assert logs.tail(log, since=begins) == "a\nb\nc"
    assert logs.tail(log, since=begins, lines=2) == "b\nc"
    assert logs.tail(log, since=10_000) == "from another life\na\nb\nc"
    assert logs.tail(tmp_path / "absent.log", since=0) == ""


def test_a_tail_of_a_huge_line_is_short(tmp_path):
    log = tmp_path / "blue-1.log"
    write(log, "x" * 1_000_000)
    assert len(logs.tail(log, since=0)) == 4096


def test_logs_of_an_endpoint_are_listed_newest_last_and_the_oldest_gone_ones_pruned(tmp_path):
    made = [logs.path(tmp_path, "falcon", "blue", f"{n}") for n in range(5)]
    for age, log in enumerate(made):
        write(log, "x")
        os.utime(log, (1000 + age, 1000 + age))
    logs.older(made[1]).touch()
    assert logs.of_endpoint(tmp_path, "falcon") == tuple(made)
    logs.prune(tmp_path, "falcon", keep=2, live={made[0]})
    assert logs.of_endpoint(tmp_path, "falcon") == (made[0], made[3], made[4])
    assert not logs.older(made[1]).exists()
    assert logs.of_endpoint(tmp_path, "nonesuch") == ()


def test_a_log_that_is_pruned_while_logs_are_listed_is_left_out(tmp_path, monkeypatch):
    made = [logs.path(tmp_path, "falcon", "blue", f"{n}") for n in range(3)]
    for age, log in enumerate(made):
        write(log, "x")
        os.utime(log, (1000 + age, 1000 + age))
    glob = Path.glob

    def then_pruned(self, pattern):
        found = list(glob(self, pattern))
        made[0].unlink(missing_ok=True)
        return found

    monkeypatch.setattr(Path, "glob", then_pruned)
    assert logs.of_endpoint(tmp_path, "falcon") == tuple(made[1:])


def test_a_log_that_another_has_just_rotated_is_not_rotated_again(tmp_path, monkeypatch):
    """The thread of a host that has closed may still be at it."""
    log = tmp_path / "falcon" / "blue-1.log"
    write(log, "all that was said\n")
    both = threading.Barrier(2)
    lock = logs.fcntl.flock

    def together(*arguments):
        both.wait(60)
        lock(*arguments)

    monkeypatch.setattr(logs.fcntl, "flock", together)
    rotating = [threading.Thread(target=logs.rotate, args=(log, 15)) for _ in range(2)]
    for each in rotating:
        each.start()
    for each in rotating:
        each.join(60)
    assert logs.older(log).read_text() == "all that was said\n"
    assert log.read_text() == ""
