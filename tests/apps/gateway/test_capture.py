"""Data capture through a real gateway: what callers send and get is what the files say."""

from __future__ import annotations

import base64
import json
import random
import signal
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from parkade.adapters.folder.objects import FolderObjects
from parkade.apps import link
from tests.apps.gateway.stand import Reply, stand, wait_for

if TYPE_CHECKING:
    from tests.apps.gateway.stand import Request, Stand

NEVER = 10_000.0


def capture(percentage: int = 100, **fields: Any) -> link.CaptureView:
    given: dict[str, Any] = {
        "destination": "s3://captured/here",
        "percentage": percentage,
        "inputs": True,
        "outputs": True,
        "csv_types": ("text/csv",),
        "json_types": ("application/json",),
    }
    return link.CaptureView(**{**given, **fields})


def captured(house: Stand, endpoint: str, variant: str = "main") -> list[dict[str, Any]]:
    """Return what was delivered for a variant."""
    store = FolderObjects(house.objects)
    lines = []
    for info in store.ls("captured", f"here/{endpoint}/{variant}/"):
        with store.open(info.bucket, info.key) as file:
            lines += [json.loads(line) for line in file]
    return lines


def spooled(house: Stand) -> int:
    """Return how many lines wait to be delivered."""
    files = [path.read_bytes() for path in house.spools.glob("*.spool")]
    return sum(content.count(b"\n") - 1 for content in files)


def serve(house: Stand, endpoint: str, view: link.CaptureView | None, **limits: float) -> None:
    house.worker(endpoint, shout)
    main = house.variant("main", endpoint)
    house.push(
        endpoints={endpoint: link.EndpointView(variants=(main,), capture=view)},
        limits=house.limits(
            **{"capture_seconds": 0.1, **limits},
        ),
    )


def shout(request: Request) -> Reply:
    """Answer something else than what was sent."""
    kind = request.headers.get("content-type", "text/csv")
    if request.body.startswith(b"fail"):
        return Reply(status=400, body=b"no")
    return Reply(body=request.body[::-1] + b"!", headers={"Content-Type": kind + "; charset=utf-8"})


def decoded(payload: dict[str, str]) -> bytes:
    if payload["encoding"] == "BASE64":
        return base64.b64decode(payload["data"], validate=True)
    return payload["data"].encode()


def test_every_line_joins_its_call_and_decodes_to_its_bytes(house: Stand):
    serve(house, "joined", capture())
    draw = random.Random(7)  # noqa: S311  these are no secrets
    kinds = ["text/csv", "application/json", "image/png"]
    bodies = [draw.randbytes(draw.choice([0, 1, 50, 100_000])) for _ in range(40)]
    bodies += ["äß,€\n".encode() * draw.randrange(50_000) for _ in range(20)]
    calls = {f"call-{number}": (body, kinds[number % 3]) for number, body in enumerate(bodies)}

    def invoke(name: str) -> bytes:
        body, kind = calls[name]
        headers = {"Content_Type": kind, "X_Amzn_SageMaker_Inference_Id": name}
        answer = house.invoke("joined", body, **headers)
        assert answer.status == 200
        return answer.body

    with ThreadPoolExecutor(8) as pool:
        answers = dict(zip(calls, pool.map(invoke, calls), strict=True))
    wait_for(lambda: len(captured(house, "joined")) == len(calls))
    lines = captured(house, "joined")
    assert len({line["eventMetadata"]["eventId"] for line in lines}) == len(calls)
    for line in lines:
        name = line["eventMetadata"]["inferenceId"]
        body, kind = calls[name]
        sent, got = (line["captureData"][key] for key in ("endpointInput", "endpointOutput"))
        assert (decoded(sent), sent["observedContentType"]) == (body, kind)
        assert (decoded(got), got["observedContentType"]) == (
            answers[name],
            kind + "; charset=utf-8",
        )


@pytest.mark.semantics("capture.sampling")
@pytest.mark.parametrize(("percentage", "expected"), [(0, 0), (30, 12), (100, 40)])
def test_a_share_is_captured(house: Stand, percentage: int, expected: int):
    name = f"share-{percentage}"
    serve(house, name, capture(percentage))
    for _ in range(40):
        assert house.invoke(name).status == 200
    serve_more = f"after-{percentage}"
    serve(house, serve_more, capture())
    house.invoke(serve_more)
    wait_for(lambda: captured(house, serve_more), "what came later to be there")
    wait_for(lambda: len(captured(house, name)) >= expected - 1)
    assert abs(len(captured(house, name)) - expected) <= (1 if expected not in {0, 40} else 0)


@pytest.mark.semantics("capture.options")
@pytest.mark.parametrize("wanted", ["Input", "Output"])
def test_input_or_output_alone(house: Stand, wanted: str):
    name = f"only-{wanted}"
    serve(house, name, capture(inputs=wanted == "Input", outputs=wanted == "Output"))
    house.invoke(name)
    wait_for(lambda: captured(house, name))
    assert captured(house, name)[0]["captureData"].keys() == {f"endpoint{wanted}"}


def test_calls_that_fail_are_not_captured(house: Stand):
    serve(house, "failing", capture())
    assert house.invoke("failing", b"fail").status == 424
    house.invoke("failing", b"good", X_Amzn_SageMaker_Custom_Attributes="trace=1")
    wait_for(lambda: captured(house, "failing"))
    (line,) = captured(house, "failing")
    assert decoded(line["captureData"]["endpointInput"]) == b"good"
    assert line["eventMetadata"]["customAttributes"] == ["trace=1"]


def test_without_capture_nothing_is_written(house: Stand):
    serve(house, "silent", None)
    house.invoke("silent")
    serve(house, "loud", capture())
    house.invoke("loud")
    wait_for(lambda: captured(house, "loud"))
    assert captured(house, "silent") == []


def test_each_variant_has_a_folder_of_its_own():
    with stand() as house:
        house.worker("w")
        variants = (house.variant("a", "w"), house.variant("b", "w"))
        house.push(endpoints={"e": link.EndpointView(variants=variants, capture=capture())})
        for number in range(10):
            house.invoke(X_Amzn_SageMaker_Target_Variant="b" if number < 3 else "a")
        assert house.stop() == 0
        # What waited is delivered at the end.
        assert (len(captured(house, "e", "a")), len(captured(house, "e", "b"))) == (7, 3)
        assert list(house.spools.iterdir()) == []


def test_a_gateway_that_is_killed_loses_no_line_that_was_spooled():
    with stand() as house:
        serve(house, "e", capture(), capture_seconds=NEVER)
        sent = set()
        for number in range(100):
            sent.add(f"n{number}")
            house.invoke(X_Amzn_SageMaker_Inference_Id=f"n{number}")
        wait_for(lambda: spooled(house) == 100)
        house.stop(signal.SIGKILL)
        assert captured(house, "e") == []
        house.start()
        wait_for(lambda: len(captured(house, "e")) == 100)
        assert {line["eventMetadata"]["inferenceId"] for line in captured(house, "e")} == sent
        wait_for(lambda: not list(house.spools.iterdir()))


@pytest.mark.semantics("capture.disk")
def test_a_full_disk_turns_capturing_off_and_fails_no_request():
    with stand() as house:
        serve(house, "e", capture(), capture_disk_percent=0.001)
        for _ in range(20):
            assert house.invoke().status == 200
        wait_for(lambda: house.events)
        assert [event.kind for event in house.events] == ["capture.off"]
        assert "capture.disk_percent" in house.events[0].reason
        assert house.invoke().status == 200
        house.push(limits=house.limits(capture_seconds=0.1))
        wait_for(lambda: len(house.events) == 2)
        assert house.events[1].kind == "capture.on"
        house.invoke()
        wait_for(lambda: captured(house, "e"))


@pytest.mark.semantics("capture.rights")
def test_an_objects_folder_that_cannot_be_written_fails_no_request():
    with stand() as house:
        house.objects.rmdir()
        house.objects.write_text("no folder")
        serve(house, "e", capture())
        assert house.invoke().status == 200
        wait_for(lambda: house.events)
        assert house.events[0].kind == "capture.off"
        assert house.invoke().status == 200
        house.objects.unlink()
        wait_for(lambda: len(house.events) == 2)
        # What was spooled before is there.
        assert len(captured(house, "e")) == 1


def test_events_wait_for_control():
    with stand() as house:
        serve(house, "e", capture(), capture_disk_percent=0.001)
        house.close_link()
        assert house.invoke().status == 200
        house.open_link()
        wait_for(lambda: [event.kind for event in house.events] == ["capture.off"])


def test_a_writer_that_cannot_follow_loses_lines_and_is_told_once_a_minute():
    """Callers do not notice."""
    numbers = {"scribe.WAITING_BYTES": 10, "scribe.GATHER_SECONDS": NEVER}
    with stand(numbers=numbers) as house:
        house.worker("w", lambda _: Reply(body=b"ok"))
        main = house.variant("main", "w")
        view = capture(outputs=False)
        house.push(endpoints={"e": link.EndpointView(variants=(main,), capture=view)})
        for _ in range(20):
            assert house.invoke("e", b"123456").status == 200
        wait_for(lambda: house.usage["e", "main"]["invocations"] == 20)
        wait_for(lambda: house.events)
        (event,) = house.events
        assert (event.kind, event.endpoint) == ("capture.dropped", "e")
        assert event.data == {"count": 1}


def chunked(*pieces: bytes) -> Any:
    """Return an answer that comes in parts."""

    async def parts() -> Any:
        yield b"HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\nTransfer-Encoding: chunked\r\n\r\n"
        for piece in pieces:
            yield b"%x\r\n%b\r\n" % (len(piece), piece)
        yield b"0\r\n\r\n"

    return parts()


@pytest.mark.parametrize("path", ["invocations", "invocations-response-stream"])
def test_a_streamed_answer_is_captured_as_the_model_sent_it(house: Stand, path: str):
    name = path.replace("invocations", "streamed")
    house.worker(name, lambda _: chunked(b"1,2\n", b"3,4\n"))
    main = house.variant("main", name)
    house.push(
        endpoints={name: link.EndpointView(variants=(main,), capture=capture())},
        limits=house.limits(capture_seconds=0.1),
    )
    assert house.invoke(path=f"/endpoints/{name}/{path}").status == 200
    wait_for(lambda: captured(house, name))
    (line,) = captured(house, name)
    assert decoded(line["captureData"]["endpointOutput"]) == b"1,2\n3,4\n"
    assert line["captureData"]["endpointOutput"]["encoding"] == "CSV"


def test_an_answer_that_is_streamed_beyond_the_limit_is_left_out(house: Stand):
    house.worker("endless", lambda _: chunked(*[b"x" * 600] * 3))
    main = house.variant("main", "endless")
    house.push(
        endpoints={"endless": link.EndpointView(variants=(main,), capture=capture())},
        limits=house.limits(capture_seconds=0.1, body_bytes=1000),
    )
    assert len(house.invoke("endless").body) == 1800
    wait_for(lambda: captured(house, "endless"))
    (line,) = captured(house, "endless")
    assert line["captureData"].keys() == {"endpointInput"}


def test_a_stream_that_breaks_is_not_captured(house: Stand):
    async def breaking() -> Any:
        yield b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"

    house.worker("breaking", lambda request: breaking() if request.number == 0 else Reply())
    main = house.variant("main", "breaking")
    house.push(
        endpoints={"breaking": link.EndpointView(variants=(main,), capture=capture())},
        limits=house.limits(capture_seconds=0.1),
    )
    house.invoke(path="/endpoints/breaking/invocations-response-stream")
    house.invoke("breaking", b"whole")
    wait_for(lambda: captured(house, "breaking"))
    (line,) = captured(house, "breaking")
    assert decoded(line["captureData"]["endpointInput"]) == b"whole"


def test_of_a_pipeline_the_first_input_and_the_last_output_are_captured(house: Stand):
    house.worker("first", lambda request: Reply(body=request.body + b" first"))
    house.worker("second", lambda request: Reply(body=request.body + b" second"))
    addresses = tuple(str(house.folder / f"{name}.sock") for name in ("first", "second"))
    main = link.VariantRoute(
        name="main",
        weight=1,
        instances=(link.InstanceRoute(id="both", addresses=addresses),),
        hostnames=("", ""),
    )
    house.push(
        endpoints={"piped": link.EndpointView(variants=(main,), capture=capture())},
        limits=house.limits(capture_seconds=0.1),
    )
    house.invoke("piped", b"in")
    wait_for(lambda: captured(house, "piped"))
    (line,) = captured(house, "piped")
    data = line["captureData"]
    assert decoded(data["endpointInput"]) == b"in"
    assert decoded(data["endpointOutput"]) == b"in first second"
