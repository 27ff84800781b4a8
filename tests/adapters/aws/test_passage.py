"""Invocations passed through: what the runtime hears, and what of its answers comes back."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from parkade.adapters.aws.sagemaker.onesight import observed
from parkade.adapters.aws.sagemaker.passage import Passage
from parkade.domain.errors import Unavailable
from tests.aws_account import an_account, write_config
from tests.builders import NOW
from tests.house import wait_for


class Runtime:
    """SageMaker's runtime on the loopback; it answers what a test says, and remembers requests."""

    def __init__(self):
        runtime = self
        self.asked = []
        self.answer = (200, {"Content-Type": "application/json"}, b"{}")
        self.wait = threading.Event()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                runtime.asked.append((self.path, dict(self.headers), body))
                if runtime.answer is None:
                    runtime.wait.wait()
                    return
                status, headers, content = runtime.answer
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_):
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def refuse(self, status, kind, **body):
        content = json.dumps(body).encode()
        self.answer = (status, {"x-amzn-ErrorType": kind}, content)


@pytest.fixture
def runtime():
    found = Runtime()
    yield found
    found.wait.set()
    found.server.shutdown()
    found.server.server_close()


@pytest.fixture
def passage(runtime, tmp_path):
    write_config(tmp_path / "config", runtime.url)
    return Passage(an_account(tmp_path / "config"), seconds=60)


def test_what_a_caller_steers_by_is_heard_and_the_answer_comes_back_whole(runtime, passage):
    runtime.answer = (
        200,
        {
            "Content-Type": "text/csv",
            "x-Amzn-Invoked-Production-Variant": "blue",
            "X-Amzn-SageMaker-New-Session-Id": "abc; Expires=x",
        },
        b"1,2\n",
    )
    steering = {
        "content-type": "text/csv",
        "accept": "text/csv",
        "x-amzn-sagemaker-custom-attributes": "trace=1",
        "x-amzn-sagemaker-target-variant": "blue",
        "x-amzn-sagemaker-target-model": "a.tar.gz",
        "x-amzn-sagemaker-target-container-hostname": "first",
        "x-amzn-sagemaker-inference-id": "7",
        "x-amzn-sagemaker-inference-component": "part",
        "x-amzn-sagemaker-session-id": "NEW_SESSION",
        "cookie": "not the model's business",
    }
    reply = passage.invoke("falcon", b"3,4", steering)
    ((path, headers, body),) = runtime.asked
    heard = {name.lower(): value for name, value in headers.items()}
    assert (path, body) == ("/endpoints/falcon/invocations", b"3,4")
    assert {name: heard[name] for name in steering if name != "cookie"} == {
        name: value for name, value in steering.items() if name != "cookie"
    }
    assert "cookie" not in heard
    assert (reply.status, reply.body, reply.error) == (200, b"1,2\n", "")
    assert reply.headers == {
        "Content-Type": "text/csv",
        "x-Amzn-Invoked-Production-Variant": "blue",
        "X-Amzn-SageMaker-New-Session-Id": "abc; Expires=x",
    }


def test_a_model_s_failure_comes_back_as_the_runtime_tells_it_and_is_not_asked_twice(
    runtime, passage
):
    told = {
        "Message": "Received server error (500) from primary",
        "OriginalStatusCode": 500,
        "OriginalMessage": "boom",
        "LogStreamArn": "arn:aws:logs:x",
    }
    runtime.refuse(424, "ModelError", **told)
    reply = passage.invoke("falcon", b"{}", {})
    assert (reply.status, reply.error) == (424, "ModelError")
    assert json.loads(reply.body) == told
    assert reply.headers["x-amzn-ErrorType"] == "ModelError"
    assert len(runtime.asked) == 1


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, "ValidationError"), (429, "ModelNotReadyException"), (500, "InternalFailure"),
     (503, "ServiceUnavailable")],
)  # fmt: skip
def test_refusals_keep_status_name_and_words(runtime, passage, status, kind):
    runtime.refuse(status, kind, Message="because")
    reply = passage.invoke("falcon", b"{}", {})
    assert (reply.status, reply.error, reply.message) == (status, kind, "because")
    assert len(runtime.asked) == 1


def test_a_value_that_no_header_can_have_is_a_bad_request(passage, runtime):
    reply = passage.invoke("falcon", b"{}", {"x-amzn-sagemaker-inference-id": ""})
    assert reply.status == 400
    assert runtime.asked == []


def test_a_model_that_takes_too_long_is_told_with_what_to_do_instead(runtime, tmp_path):
    runtime.answer = None  # as long as the test goes on
    write_config(tmp_path / "config", runtime.url)
    reply = Passage(an_account(tmp_path / "config"), seconds=0.5).invoke("falcon", b"{}", {})
    assert reply.status == 504
    assert "/startexecution" in reply.message
    # The runtime may hear of it only after it was given up.
    wait_for(lambda: runtime.asked, why="the runtime to be asked")
    assert len(runtime.asked) == 1


def test_a_runtime_that_cannot_be_reached_is_unavailable(tmp_path):
    write_config(tmp_path / "config", "http://127.0.0.1:9")
    with pytest.raises(Unavailable, match="cannot be invoked"):
        Passage(an_account(tmp_path / "config"), seconds=1).invoke("falcon", b"{}", {})


def test_an_endpoint_is_seen_alone_and_one_that_is_not_there_is_none(aws):
    assert observed(aws, "there-is-no-such", NOW) is None
