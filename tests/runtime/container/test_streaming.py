"""Scripts that answer in parts, in a real container on a real socket."""

import itertools
import json
import os
import random
import signal
import time

import pytest

from parkade.apps.cli.cases import run
from tests.runtime.container.harness import (
    a_container,
    connected,
    model_folder,
    post,
    read_reply,
    refusal_to_start,
    until,
)

# The body is a Python expression, with these at hand, that makes what transform_fn returns.
SCRIPT = """
    import asyncio
    import pathlib

    def numbers(count):
        for number in range(count):
            yield f"{number} "

    def failing(after, error):
        for number in range(after):
            yield f"{number} "
        raise error

    def telling(context):
        context.set_response_status(201)
        context.set_response_header(0, "X-Amzn-SageMaker-Custom-Attributes", "told")
        context.set_response_content_type(0, "text/event-stream")
        yield "data: 1\\n\\n"

    async def later(count):
        for number in range(count):
            await asyncio.sleep(0)
            yield f"{number} "

    class Busy(Exception):
        status_code = 429

    class Steps:
        def __init__(self):
            self.left = ["a", "b"]
        def __iter__(self):
            return self
        def __next__(self):
            if not self.left:
                raise StopIteration
            return self.left.pop(0)

    def model_fn(model_dir):
        return pathlib.Path(model_dir)

    def gated(folder, name):
        # A named pipe holds the generator, and with it the loop, until it is opened to write.
        yield "begun"
        (folder / name).read_text()
        yield "ended"

    def endless(folder, name, part="x" * 1000):
        made = 0
        try:
            while True:
                made += 1
                yield part
        finally:
            (folder / f"{name}.closed").write_text(str(made))

    async def endless_later(folder, name):
        try:
            yield "begun"
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            (folder / f"{name}.closed").write_text("later")

    def transform_fn(model, body, content_type, accept, context):
        return eval(body, {**globals(), "folder": model, "context": context})
"""

PREDICTS = """
    def model_fn(model_dir): ...
    def predict_fn(data, model):
        yield from data["parts"]
"""


@pytest.fixture(scope="module")
def container(tmp_path_factory):
    folder = model_folder(tmp_path_factory.mktemp("streaming"), SCRIPT)
    with a_container(folder) as container:
        container.folder = folder
        yield container


@pytest.fixture(scope="module")
def predicts(tmp_path_factory):
    with a_container(model_folder(tmp_path_factory.mktemp("predicts"), PREDICTS)) as container:
        yield container


def ask(container, expression, **headers):
    return container.invoke(expression.encode(), "text/csv", **headers)


def begin(container, expression):
    """Send a request and read the head of its answer; return its socket and file."""
    sock = connected(container.path)
    sock.sendall(post(expression))
    stream = sock.makefile("rb", buffering=0)
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = stream.read(1)
        assert byte, head
        head += byte
    assert head.startswith(b"HTTP/1.1 200"), head
    return sock, stream


def next_chunk(stream):
    """Read one chunk; None where the connection ended before the last one."""
    line = stream.readline()
    if not line:
        return None
    size = int(line, 16)
    data = b""
    while len(data) < size + 2:
        data += stream.read(size + 2 - len(data))
    return data[:-2]


def rest(stream):
    """Return the further chunks, and whether the last one came."""
    chunks = []
    while chunk := next_chunk(stream):
        chunks.append(chunk)
    return chunks, chunk is not None


@pytest.mark.parametrize(
    ("expression", "body"),
    [
        ("numbers(4)", b"0 1 2 3 "),
        ("numbers(0)", b""),
        ("numbers(3000)", "".join(f"{number} " for number in range(3000)).encode()),
        ("later(4)", b"0 1 2 3 "),
        ("later(0)", b""),
        ("Steps()", b"ab"),
        ("map(str, range(3))", b"012"),
        ("iter([b'a', '', bytearray(b'b'), memoryview(b'c'), 'ü'])", "abcü".encode()),
        ("iter(['', '', 'late'])", b"late"),
        ("iter(['x' * 300_000, 'y'])", b"x" * 300_000 + b"y"),
    ],
)
def test_every_kind_of_iterator_is_sent_in_parts(container, expression, body):
    reply = ask(container, expression)
    assert (reply.status, reply.body) == (200, body)


def test_a_stream_is_chunked_and_its_connection_goes_on(container):
    with connected(container.path) as sock, sock.makefile("rb") as stream:
        for _ in range(2):
            sock.sendall(post("numbers(2)"))
            assert stream.readline() == b"HTTP/1.1 200 OK\r\n"
            head = list(iter(stream.readline, b"\r\n"))
            assert b"Transfer-Encoding: chunked\r\n" in head
            assert not any(line.startswith(b"Content-Length") for line in head)
            assert rest(stream) == ([b"0 ", b"1 "], True)


@pytest.mark.parametrize(
    ("expression", "content_type"),
    [
        ("numbers(1)", "application/json"),
        ("(numbers(1), 'text/plain')", "text/plain"),
        ("(numbers(0), 'text/plain')", "text/plain"),
        ("(later(1), 'text/event-stream')", "text/event-stream"),
        ("iter([{'a': 1}])", "application/jsonlines"),
        ("(iter([{'a': 1}]), 'application/x-mine')", "application/x-mine"),
    ],
)
def test_the_content_type_is_what_the_script_says(container, expression, content_type):
    assert ask(container, expression).headers["Content-Type"] == content_type


def test_a_generator_can_set_status_and_headers_until_its_first_part(container):
    reply = ask(container, "telling(context)")
    assert (reply.status, reply.body) == (201, b"data: 1\n\n")
    assert reply.headers["Content-Type"] == "text/event-stream"
    assert reply.headers["X-Amzn-SageMaker-Custom-Attributes"] == "told"


def test_values_become_json_lines(predicts):
    reply = predicts.invoke({"parts": [{"token": "a"}, [1, 2], None]})
    assert reply.body == b'{"token": "a"}\n[1, 2]\nnull\n'
    assert reply.headers["Content-Type"] == "application/jsonlines"


def test_texts_of_predict_fn_stay_texts(predicts):
    reply = predicts.invoke({"parts": ["data: a\n\n", "data: b\n\n"]}, Accept="text/event-stream")
    assert reply.body == b"data: a\n\ndata: b\n\n"
    assert reply.headers["Content-Type"] == "text/event-stream"


def test_an_output_fn_is_given_the_generator_of_predict_fn(tmp_path):
    script = PREDICTS + (
        "\n    def output_fn(prediction, accept):"
        "\n        return (f'<{part}>' for part in prediction), 'text/plain'\n"
    )
    with a_container(model_folder(tmp_path, script)) as container:
        reply = container.invoke({"parts": ["a", "b"]})
        assert (reply.body, reply.headers["Content-Type"]) == (b"<a><b>", "text/plain")


def test_arrays_and_lists_are_no_streams(tmp_path):
    script = "def model_fn(d): ...\ndef predict_fn(data, model): return data\n"
    with a_container(model_folder(tmp_path, script)) as container:
        reply = container.invoke([1, 2])
        assert (reply.json, reply.headers["Content-Length"]) == ([1, 2], "6")


def test_a_part_is_sent_before_the_next_is_made(container):
    os.mkfifo(container.folder / "gate")
    sock, stream = begin(container, "gated(folder, 'gate')")
    with sock, stream:
        # The script has hung in its second part since the first one left.
        assert next_chunk(stream) == b"begun"
        (container.folder / "gate").write_text("go")
        assert rest(stream) == ([b"ended"], True)


def test_the_first_part_takes_milliseconds(container):
    took = []
    for number in range(20):
        begun = time.monotonic()
        sock, stream = begin(container, f"endless(folder, 'first-{number}')")
        with sock, stream:
            next_chunk(stream)
            took.append(time.monotonic() - begun)
    # About 0.3 ms on a free machine.
    assert min(took) < 0.02


def test_streams_pings_and_other_requests_take_turns(container):
    first, first_stream = begin(container, "endless(folder, 'one', 'x')")
    second, second_stream = begin(container, "endless_later(folder, 'two')")
    with first, first_stream, second, second_stream:
        for _ in range(3):
            assert next_chunk(first_stream) == b"x"
            assert container.ask("GET", "/ping").status == 200
            assert ask(container, "'other'").body == b"other"
            assert ask(container, "numbers(3)").body == b"0 1 2 "
        assert next_chunk(second_stream) == b"begun"


def test_two_streams_advance_alike(tmp_path):
    """The script writes down whose turn it was."""
    script = """
        made = []
        def model_fn(d): ...
        def transform_fn(model, body, content_type, accept):
            return parts(body) if body != "made" else "".join(made)
        begun = set()
        def parts(name):
            yield "first"
            begun.add(name)
            while len(begun) < 2:
                yield ""  # which takes its turn, and no room on the way to the client
            for _ in range(50):
                made.append(name)
                yield name
    """
    with a_container(model_folder(tmp_path, script)) as container:
        a, a_stream = begin(container, "a")
        b, b_stream = begin(container, "b")
        with a, a_stream, b, b_stream:
            assert rest(a_stream)[1]
            assert rest(b_stream)[1]
        made = container.invoke(b"made", "text/csv").body.decode()
    # Never twice in a row.
    assert max(len(list(group)) for _, group in itertools.groupby(made)) == 1
    assert len(made) == 100


def closed(container, name):
    path = container.folder / f"{name}.closed"
    return until(lambda: path.exists() and path.read_text(), what=f"{name} is closed")


def test_a_client_that_hangs_up_ends_the_generator(container):
    sock, stream = begin(container, "endless(folder, 'gone')")
    with sock, stream:
        next_chunk(stream)
    assert int(closed(container, "gone")) > 0


def test_a_client_that_hangs_up_ends_an_asynchronous_generator_in_its_wait(container):
    sock, stream = begin(container, "endless_later(folder, 'waiting')")
    with sock, stream:
        assert next_chunk(stream) == b"begun"
    assert closed(container, "waiting") == "later"


def test_parts_are_made_no_faster_than_they_are_taken(tmp_path):
    script = """
        made = 0
        def model_fn(d): ...
        def transform_fn(model, body, content_type, accept):
            return str(made) if body == "made" else parts()
        def parts():
            global made
            try:
                while True:
                    made += 1
                    yield bytes(10_000)
            finally:
                made = -1
    """
    with a_container(model_folder(tmp_path, script)) as container:

        def made():
            return int(container.invoke(b"made", "text/csv").body)

        sock, stream = begin(container, "parts")
        with sock, stream:
            # Every request takes a turn, so that a stream that is not held makes parts meanwhile.
            held = until(lambda: (before := made()) == made() and before)
            assert held < 1000
            assert [made() for _ in range(20)] == [held] * 20
            for _ in range(held + 10):
                assert len(next_chunk(stream)) == 10_000
            until(lambda: made() > held)
        # It is seen that the client is gone even while nothing is read or made.
        until(lambda: made() == -1)


def test_what_fails_before_the_first_part_is_an_ordinary_answer(container):
    for expression, status, error in [
        ("failing(0, ValueError('too odd'))", 500, "ValueError: too odd"),
        ("failing(0, Busy('later'))", 429, "later"),
        ("failing(0, SystemExit(3))", 500, "SystemExit: 3"),
        ("iter([object()])", 500, "TypeError: object cannot be written as JSON"),
        ("(numbers(1), 'a\\r\\nb: c')", 500, "ValueError"),
    ]:
        reply = ask(container, expression)
        assert reply.status == status, expression
        assert reply.json["error"].startswith(error)


def test_what_fails_later_cuts_the_answer_and_leaves_its_traceback(container):
    for expression, error in [
        ("failing(2, RuntimeError('broken off'))", "RuntimeError: broken off"),
        ("failing(2, SystemExit(4))", "SystemExit: 4"),
        ("iter(['0 ', '1 ', object()])", "TypeError: object cannot be written"),
    ]:
        sock, stream = begin(container, expression)
        with sock, stream:
            assert rest(stream) == ([b"0 ", b"1 "], False)
        until(lambda error=error: error in container.log.read_text())
    assert ask(container, "'still here'").body == b"still here"


def test_a_client_of_http_1_0_gets_it_whole(container):
    for expression, status, body in [
        ("numbers(3)", b"200", b"0 1 2 "),
        ("later(3)", b"200", b"0 1 2 "),
        ("failing(2, Busy('later'))", b"429", b'{"error": "later"}'),
    ]:
        head = f"POST /invocations HTTP/1.0\r\nContent-Length: {len(expression)}\r\n\r\n"
        with connected(container.path) as sock, sock.makefile("rb") as stream:
            sock.sendall((head + expression).encode())
            text = stream.read()
        assert text.split()[1] == status
        assert f"Content-Length: {len(body)}".encode() in text
        assert b"chunked" not in text
        assert text.endswith(b"\r\n\r\n" + body)


def test_a_client_of_http_1_0_may_keep_its_connection(container):
    head = b"POST /invocations HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 10\r\n\r\n"
    with connected(container.path) as sock, sock.makefile("rb") as stream:
        for _ in range(2):
            sock.sendall(head + b"numbers(3)")
            status, headers, body = read_reply(stream)
            assert (status, headers["Content-Length"], body) == (200, "6", b"0 1 2 ")


@pytest.mark.parametrize("seed", range(5))
def test_pipelined_requests_keep_their_order_whatever_they_ask(container, seed):
    """Plain answers, streams of both kinds and refusals, sent in pieces of any size."""
    chance = random.Random(seed)  # noqa: S311 - repeatable, not secret
    kinds = [
        lambda n: (post(f"'{n}'"), str(n).encode()),
        lambda n: (post(f"iter(['{n}', '', ' and on'])"), f"{n} and on".encode()),
        lambda n: (post(f"later({n % 5})"), b"".join(b"%d " % k for k in range(n % 5))),
        lambda n: (post("", path="/ping", extra="X: y\r\n").replace(b"POST", b"GET"), b""),
    ]
    asked = [chance.choice(kinds)(number) for number in range(60)]
    wire = b"".join(request for request, _ in asked)
    with connected(container.path) as sock, sock.makefile("rb") as stream:
        while wire:
            size = chance.randrange(1, 2000)
            sock.sendall(wire[:size])
            wire = wire[size:]
        for _, expected in asked:
            assert read_any(stream) == expected


def read_any(stream):
    """Read one answer, chunked or not."""
    assert stream.readline().startswith(b"HTTP/1.1 200")
    head = b"".join(iter(stream.readline, b"\r\n"))
    if b"chunked" in head:
        return b"".join(rest(stream)[0])
    (length,) = (line for line in head.splitlines() if line.startswith(b"Content-Length"))
    return stream.read(int(length.split()[1]))


def test_sigterm_lets_streams_finish(tmp_path):
    folder = model_folder(tmp_path, SCRIPT)
    os.mkfifo(folder / "gate")
    with a_container(folder) as container:
        sock, stream = begin(container, "gated(folder, 'gate')")
        with sock, stream:
            assert next_chunk(stream) == b"begun"
            container.process.send_signal(signal.SIGTERM)
            (folder / "gate").write_text("go")
            assert rest(stream) == ([b"ended"], True)
            assert container.wait() == 0
            assert stream.read() == b""


def test_cases_see_a_stream_whole(tmp_path):
    folder = model_folder(tmp_path, PREDICTS)
    (folder / "test").mkdir()
    cases = [
        {"id": "words", "input": {"parts": ["1", "2"]}, "expected": 12},
        {"id": "broken", "input": {}, "expected": 0},
    ]
    (folder / "test" / "input_data.json").write_text(json.dumps(cases))
    words, broken = run(folder, {}, tmp_path)
    assert (words.passed, words.text) == (True, "12")
    assert "KeyError" in broken.text


def test_an_exit_while_loading_says_so(tmp_path):
    log = refusal_to_start(model_folder(tmp_path, "import sys\nsys.exit(0)\n"))
    assert log.splitlines()[-1] == "inference.py failed: SystemExit: 0"


def test_an_exit_in_a_request_ends_that_request(container):
    assert ask(container, "exec('raise SystemExit(1)')").status == 500
    with connected(container.path) as sock, sock.makefile("rb") as stream:
        sock.sendall(post("'here'"))
        assert read_reply(stream)[2] == b"here"
