"""The command replay, before a server whose answers are canned; real ones are in tests/clients."""

import json
import os
import re
import signal

import pytest


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "captured"
    folder.mkdir()
    (folder / "x.jsonl").write_text("\n".join(a_line(n) for n in range(30)))
    return folder


def a_line(n):
    told = {"observedContentType": "application/json", "encoding": "JSON"}
    return json.dumps({
        "captureData": {
            "endpointInput": {**told, "data": json.dumps({"n": n})},
            "endpointOutput": {**told, "data": '{"label": 1.0}'},
        },
        "eventMetadata": {"eventId": f"e{n}", "inferenceTime": "2026-02-14T17:25:49Z"},
    })  # fmt: skip


@pytest.fixture
def serving(desk):
    desk.world.add("text")
    desk.start("text")
    return desk


def test_a_replayed_request_is_recognisable(serving, source):
    report = serving.json(
        "replay", "--from", str(source), "--to", "text", "--rate", "0", "--limit", "3"
    )
    assert report["agreement"]["agree"] == 3
    assert [json.loads(body) for body in sorted(serving.front.bodies)] == [
        {"n": n} for n in range(3)
    ]
    ids = {each["x-amzn-sagemaker-inference-id"] for each in serving.front.headers}
    assert ids == {"parkade-replay-e0", "parkade-replay-e1", "parkade-replay-e2"}
    assert {each["accept"] for each in serving.front.headers} == {"application/json"}


def test_names_that_no_terminal_takes_are_written_out(serving, source):
    line = a_line(1).replace('"e1"', json.dumps("\ud800\x1b[2J")).replace("1.0", "2")
    (source / os.fsdecode(b"x\xff.jsonl")).write_text(line + "\n{")
    (source / "x.jsonl").unlink()
    options = ("replay", "--from", str(source), "--to", "text", "--rate", "0")
    report = serving.json(*options)
    assert report["examples"][0]["event_id"] == "\\ud800\\u001b[2J"
    assert "x\\udcff.jsonl:1" in report["examples"][0]["place"]
    assert "\x1b[2J" not in serving.ok(*options)
    (sent, _) = serving.front.headers
    assert sent["x-amzn-sagemaker-inference-id"].startswith("parkade-replay-")


def test_ctrl_c_tells_what_there_is_so_far(serving, source):
    def interrupt(path):
        if path.endswith("/invocations") and len(serving.front.bodies) == 4:
            os.kill(os.getpid(), signal.SIGINT)

    serving.front.looks_on = interrupt
    result = serving.run(
        "replay",
        "--from",
        str(source),
        "--to",
        "text",
        "--rate",
        "0",
        "--concurrency",
        "1",
        "--json",
    )
    assert result.exit_code == 130
    report = json.loads(result.stdout)
    assert report["stopped"] == "it was interrupted"
    assert 4 <= report["agreement"]["agree"] < 30


def test_a_candidate_that_is_too_slow_for_the_rate_shows(serving, source):
    import threading

    released = threading.Event()
    # The second one comes when it is due only if the first need not be waited for.
    serving.front.looks_on = lambda path: path.endswith("/invocations") and released.wait(0.3)
    result = serving.run(
        "replay", "--from", str(source), "--to", "text", "--rate", "1000", "--concurrency", "1", "--limit", "3"
    )  # fmt: skip
    assert re.search("[23] requests sent late", result.stdout)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--to", "te xt"), "'te xt'"),
        (("--to", "txet"), "did you mean 'text'?"),
        (("--to", "text/"), "the variant"),
        (("--to", "text", "--baseline", "text/nobody"), "no variant 'nobody'"),
        (("--to", "text", "--fields", "a b"), "names no field"),
        (("--to", "text", "--tolerance", "-1"), "is not a tolerance"),
        (("--to", "text", "--compare", "exact", "--ignore", "at"), "bytes have no fields"),
        (("--to", "text", "--since", "yesterday"), "neither an instant nor a span"),
        (("--to", "text", "--since", "2026-02-14T17:00:00"), "has no time zone"),
        (("--to", "text", "--rate", "inf"), "is no number"),
    ],
)
def test_what_cannot_be_asked_is_refused_before_anything_is_sent(
    serving, source, arguments, reason
):
    assert reason in serving.error("replay", "--from", str(source), *arguments)
    assert not serving.front.bodies


def test_a_place_without_captured_calls_is_named(serving, source, tmp_path):
    assert "does not exist" in serving.error(
        "replay", "--from", str(tmp_path / "none"), "--to", "text"
    )
    assert "no bucket 'captured'" in serving.error(
        "replay", "--from", "s3://captured/x", "--to", "text"
    )
    (source / "x.jsonl").unlink()
    result = serving.run("replay", "--from", str(source), "--to", "text")
    assert result.exit_code == 1
    assert "there is nothing to replay" in result.stderr


def test_a_report_that_cannot_be_written_is_refused_at_once(serving, source, tmp_path):
    (tmp_path / "file").write_text("")
    line = serving.error(
        "replay", "--from", str(source), "--to", "text", "-o", str(tmp_path / "file" / "out")
    )
    assert "cannot be made" in line
    assert not serving.front.bodies
