"""What one variant answered is captured, and replayed to the other one."""

from __future__ import annotations

import base64
import gzip
import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from tests.clients.account import Account, account
from tests.clients.comparisons import (
    SETTINGS,
    a_folder,
    ask,
    captured,
    cli,
    furnish,
    told,
    wait_captured,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FAST = ("--rate", "0", "--concurrency", "4")
LENIENT = ("--ignore", "$.model", "--tolerance", "0.001")


@pytest.fixture(scope="module")
def boto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """Twenty calls of variant a of endpoint `ab` were captured, and a CSV one."""
    folder = tmp_path_factory.mktemp("replay")
    with account(folder, SETTINGS) as built:
        for name in ("a", "b"):
            built.model(name, a_folder(folder / name, name))
        furnish(built, "ab")
        for n in range(1, 21):
            ask(built, "ab", n, TargetVariant="a", CustomAttributes=f"n={n}")
        built.runtime.invoke_endpoint(
            EndpointName="ab", Body=b"1,2.50\n", ContentType="text/csv", TargetVariant="a"
        )["Body"].read()
        wait_captured(built, "ab", "a", 21)
        yield built


@pytest.fixture
def copied(boto: Account, tmp_path: Path) -> Path:
    """The captured files, in a folder of their own."""
    folder = tmp_path / "captured"
    shutil.copytree(boto.house.paths.objects / "captured" / "ab", folder)
    return folder


def a_line(n: int, event: str, **changes: Any) -> str:
    """Return a line as SageMaker's own data capture writes it."""
    sent = {"observedContentType": "application/json", "mode": "INPUT", "encoding": "JSON"}
    got = {"observedContentType": "application/json", "mode": "OUTPUT", "encoding": "JSON"}
    answer = {"label": n % 3, "p": n / 100, "model": "a"}
    data = {
        "endpointInput": {**sent, "data": json.dumps({"n": n})},
        "endpointOutput": {**got, "data": json.dumps(answer)},
    } | changes.pop("data", {})
    about = {"eventId": event, "inferenceTime": "2026-02-14T17:25:49Z"} | changes
    return json.dumps({"captureData": data, "eventMetadata": about, "eventVersion": "0"})


def test_the_agreement_is_what_can_be_worked_out_by_hand(boto: Account) -> None:
    report = told(boto, "replay", "--from", "s3://captured/ab", "--to", "ab/b", *FAST, *LENIENT)
    # 5, 10, 15 and 20 have another label, 13 fails; the CSV comes back as it was sent.
    agreement = report["agreement"]
    assert (agreement["agree"], agreement["differ"], agreement["failed"]) == (16, 4, 1)
    assert agreement["share"] == pytest.approx(16 / 21)
    # Wilson's interval of 16 of 21.
    assert (agreement["low"], agreement["high"]) == (
        pytest.approx(0.5491, abs=1e-4),
        pytest.approx(0.8937, abs=1e-4),
    )
    assert report["fields"] == [{"path": "$.label", "answers": 4, "share": 0.2}]
    assert report["candidate"]["statuses"] == {"200": 20, "424": 1}
    deviations = {each["path"]: each for each in report["deviations"]}
    assert deviations["$.p"]["count"] == 19
    assert deviations["$.p"]["max"] == pytest.approx(1 / 1024)
    assert (deviations["$.label"]["max"], deviations["$.label"]["p50"]) == (1.0, 0.0)
    worst = report["examples"][0]
    assert (worst["verdict"], worst["status"]) == ("failed", 424)
    assert json.loads(worst["input"]) == {"n": 13}
    assert {json.loads(each["input"])["n"] for each in report["examples"][1:]} == {5, 10, 15, 20}
    assert report["read"]["replayed"] == report["sending"]["sent"] == 21
    assert report["stopped"] is None


def test_the_same_variant_agrees_to_the_byte(boto: Account) -> None:
    report = told(
        boto,
        "replay",
        "--from",
        "s3://captured/ab/ab/a",
        "--to",
        "ab/a",
        *FAST,
        "--compare",
        "exact",
    )
    assert report["agreement"]["agree"] == report["agreement"]["compared"] == 21


def test_a_baseline_is_asked_now(boto: Account) -> None:
    source = ("--from", "s3://captured/ab", "--to", "ab/a", *FAST, *LENIENT)
    report = told(boto, "replay", *source, "--baseline", "ab/b")
    agreement = report["agreement"]
    # Where the baseline fails there is nothing to compare with.
    assert (agreement["agree"], agreement["differ"], agreement["uncompared"]) == (16, 4, 1)
    assert report["baseline"]["statuses"] == {"200": 20, "424": 1}
    assert report["compared_with"]["variant"] == "b"
    assert report["candidate"]["latency_seconds"]["count"] == 21
    assert report["baseline"]["latency_seconds"]["p50"] > 0


def test_what_was_replayed_or_tested_is_not_captured_and_not_replayed(boto: Account) -> None:
    before = len(captured(boto, "ab", "a"))
    told(boto, "replay", "--from", "s3://captured/ab", "--to", "ab/a", *FAST, "--limit", "5")
    ask(boto, "ab", 1, TargetVariant="a", InferenceId="parkade-test-mine")
    ask(boto, "ab", 1, TargetVariant="a", InferenceId="a-user")
    wait_captured(boto, "ab", "a", before + 1)
    fresh = captured(boto, "ab", "a")[before:]
    assert {each["eventMetadata"]["inferenceId"] for each in fresh} == {"a-user"}


def test_what_is_captured_comes_to_the_model_as_it_came(boto: Account) -> None:
    told(boto, "replay", "--from", "s3://captured/ab", "--to", "ab/a", *FAST, "--compare", "exact")
    attributes = {
        each["eventMetadata"].get("customAttributes", [""])[0] for each in captured(boto, "ab", "a")
    }
    assert "n=7" in attributes


def test_files_of_sagemaker_are_read_packed_or_not_and_nothing_is_silent(
    boto: Account, tmp_path: Path
) -> None:
    folder = tmp_path / "text" / "a" / "2026" / "02" / "14" / "17"
    folder.mkdir(parents=True)
    encoded = {"data": base64.b64encode(b'{"n": 4}').decode(), "encoding": "BASE64",
               "observedContentType": "application/json"}  # fmt: skip
    lines = [
        a_line(1, "e1"),
        "{broken",
        "",
        a_line(2, "e2"),
        a_line(2, "e2"),
        a_line(3, "e3", inferenceId="parkade-replay-e0"),
        a_line(4, "e4", data={"endpointInput": encoded}),
        a_line(5, "e5", data={"endpointInput": None}),
        a_line(6, "e6", data={"endpointOutput": None}),
        a_line(7, "e7", inferenceTime="2026-02-14T19:00:00Z"),
        a_line(8, "e8", data={"endpointInput": {**encoded, "encoding": "ROT13"}}),
        a_line(9, "e9", customAttributes=["trace=1", "line\nbreak"]),
    ]
    (folder / "25-49-123-x.jsonl").write_text("\n".join(lines))
    (folder / "26-00-000-y.jsonl").write_bytes(gzip.compress(a_line(10, "e10").encode()))
    (folder / "27-00-000-z.jsonl.gz").write_bytes(gzip.compress(a_line(11, "e11").encode())[:-9])
    (folder / "readme.txt").write_text("not captured")
    other = tmp_path / "text" / "a" / "2026" / "02" / "13" / "17"
    other.mkdir(parents=True)
    (other / "00-00-000-w.jsonl").write_text(a_line(12, "e12"))
    report = told(
        boto, "replay", "--from", str(tmp_path), "--to", "ab/a", *FAST,
        "--since", "2026-02-14T17:00:00Z", "--until", "2026-02-14T19:00:00Z",
    )  # fmt: skip
    read = report["read"]
    assert {name: read[name] for name in ("files", "other_files", "files_outside")} == {
        "files": 3, "other_files": 1, "files_outside": 1,
    }  # fmt: skip
    assert (read["repeated"], read["own"], read["without_input"], read["outside"]) == (1, 1, 1, 1)
    places = {each["place"].rpartition("/")[2]: each["why"] for each in read["unreadable_named"]}
    assert places["25-49-123-x.jsonl:2"].startswith("it is not JSON")
    assert "unknown encoding 'ROT13'" in places["25-49-123-x.jsonl:11"]
    assert any(name.startswith("27-00-000-z.jsonl.gz") for name in places)
    assert read["unreadable"] == 3
    # 6 has nothing to compare with; the attributes of 9 cannot be sent.
    assert report["agreement"]["uncompared"] == 1
    assert report["agreement"]["failed"] == 1
    assert list(report["candidate"]["troubles"]) == [
        "what was captured as its X-Amzn-SageMaker-Custom-Attributes cannot be sent"
    ]


def test_a_rate_is_kept_whatever_the_answers_take(boto: Account, copied: Path) -> None:
    report = told(
        boto, "replay", "--from", str(copied), "--to", "ab/a", "--rate", "50", "--concurrency", "8"
    )
    # 21 requests at 50 a second: the last one is due after 0.4 s.
    assert report["sending"]["seconds"] >= 0.4
    assert report["sending"]["rate"] <= 21 / 0.4


def test_the_report_is_written_as_a_page_that_escapes_what_was_captured(
    boto: Account, tmp_path: Path
) -> None:
    hostile = "<script>alert(1)</script>\u202e\x1b[31m"
    got = {"observedContentType": "application/json", "mode": "OUTPUT", "encoding": "JSON"}
    data = {"endpointOutput": {**got, "data": json.dumps({"label": hostile, hostile: "\ud800"})}}
    (tmp_path / "x.jsonl").write_text(a_line(1, "e1<img src=x>", data=data))
    result = cli(
        boto, "replay", "--from", str(tmp_path), "--to", "ab/b", *FAST, "-o", str(tmp_path / "out")
    )
    assert result.exit_code == 0, result.output
    assert "\x1b[31m" not in result.stdout
    assert "\u202e" not in result.stdout
    page = (tmp_path / "out" / "report.html").read_text()
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "<img" not in page
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["agreement"]["differ"] == 1
