"""What scripts may define, return and raise, in a real container."""

import io
import json
import subprocess
import sys

import numpy as np
import pytest

from tests.runtime.container.harness import (
    a_container,
    connected,
    model_folder,
    post,
    read_reply,
    refusal_to_start,
)

# Every function in its plain form; the answer tells with what each was called.
PLAIN = """
    import json

    def model_fn(model_dir):
        return {"dir": model_dir}

    def input_fn(input_data, content_type):
        return {"input": input_data, "type": type(input_data).__name__, "content_type": content_type}

    def predict_fn(data, model):
        return {**data, **model}

    def output_fn(prediction, accept):
        return json.dumps({**prediction, "accept": accept})
"""

WITH_CONTEXT = """
    import json

    def model_fn(model_dir, context):
        return context.system_properties["model_dir"] == model_dir

    def input_fn(input_data, content_type, context):
        return context.get_request_header(0, "X-Amzn-SageMaker-Custom-Attributes")

    def predict_fn(data, model, context):
        return [data, model, context.get_all_request_header(0)["x-more"],
                context.request_processor[0].get_request_properties()["x-more"]]

    def output_fn(prediction, accept, context):
        context.set_response_header(0, "X-Amzn-SageMaker-Custom-Attributes", "from-model")
        context.set_response_content_type(0, "application/x-special")
        context.set_response_status(202)
        return json.dumps(prediction).encode()
"""

# The body is a Python expression that makes the result, or raises.
ANYTHING = """
    class Busy(Exception):
        status_code = 429

    class Broken(Exception):
        status_code = 503

    def fail(error):
        raise error

    def model_fn(model_dir):
        return None

    def transform_fn(model, body, content_type, accept, context):
        print("asked", body)
        return eval(body)
"""

MODEL = "def model_fn(model_dir):\n    return lambda data: data\n"


@pytest.fixture(scope="module")
def anything(tmp_path_factory):
    with a_container(model_folder(tmp_path_factory.mktemp("any"), ANYTHING)) as container:
        yield lambda text: container.invoke(text.encode(), "text/csv"), container


@pytest.fixture(scope="module")
def defaults(tmp_path_factory):
    with a_container(model_folder(tmp_path_factory.mktemp("defaults"), MODEL)) as container:
        yield container


@pytest.mark.semantics("container.handlers")
def test_the_four_functions_are_called_as_sagemaker_calls_them(tmp_path):
    with a_container(model_folder(tmp_path, PLAIN)) as container:
        reply = container.invoke({"a": 1}, Accept="application/json")
        assert reply.headers["Content-Type"] == "application/json"
        assert reply.json == {
            "input": '{"a": 1}',
            "type": "str",
            "content_type": "application/json",
            "accept": "application/json",
            "dir": str(tmp_path.resolve()),
        }


@pytest.mark.parametrize(
    ("content_type", "handed_over"),
    [
        ("application/json; charset=utf-8", "str"),
        ("text/csv", "str"),
        ("application/x-image", "bytes"),
    ],
)
def test_json_and_csv_arrive_as_text_and_the_rest_as_bytes(tmp_path, content_type, handed_over):
    script = """
        def model_fn(model_dir): ...
        def transform_fn(model, body, content_type, accept):
            return type(body).__name__ + " " + content_type, "text/plain"
    """
    with a_container(model_folder(tmp_path, script)) as container:
        reply = container.invoke(b"1", content_type)
        assert reply.body.decode() == f"{handed_over} {content_type}"
        assert reply.headers["Content-Type"] == "text/plain"


def test_a_function_with_one_argument_more_gets_the_context(tmp_path):
    with a_container(model_folder(tmp_path, WITH_CONTEXT)) as container:
        headers = {"X_Amzn_SageMaker_Custom_Attributes": "from-caller", "X_More": "more"}
        reply = container.invoke({}, **headers)
        assert reply.status == 202
        assert reply.headers["Content-Type"] == "application/x-special"
        assert reply.headers["X-Amzn-SageMaker-Custom-Attributes"] == "from-model"
        assert reply.json == ["from-caller", True, "more", "more"]


def test_an_option_of_the_scripts_own_is_left_alone(tmp_path):
    script = """
        def model_fn(model_dir, device="cpu"):
            return device
        def transform_fn(model, body, content_type, accept, *, pretty=False):
            return f"{model} {pretty}"
    """
    with a_container(model_folder(tmp_path, script)) as container:
        assert container.invoke({}).body == b"cpu False"


@pytest.mark.semantics("container.handlers")
def test_pre_model_fn_comes_before_model_fn(tmp_path):
    script = """
        calls = []
        def pre_model_fn(model_dir):
            calls.append("before " + model_dir)
        def model_fn(model_dir):
            return [*calls, "model"]
        def transform_fn(model, body, content_type, accept):
            return ", ".join(model)
    """
    with a_container(model_folder(tmp_path, script)) as container:
        assert container.invoke({}).body.decode() == f"before {tmp_path.resolve()}, model"


@pytest.mark.semantics("container.program")
def test_scripts_import_their_neighbours_and_can_have_another_name(tmp_path):
    folder = model_folder(tmp_path, "raise RuntimeError", helper="WORD = 'helped'")
    (folder / "code" / "serve.py").write_text(
        "import helper\ndef model_fn(d): return helper.WORD\n"
        "def transform_fn(m, b, c, a): return m\n"
    )
    with a_container(folder, env={"SAGEMAKER_PROGRAM": "serve.py"}) as container:
        assert container.invoke({}).body == b"helped"


@pytest.mark.parametrize(
    ("expression", "body", "content_type"),
    [
        ("'text'", b"text", "application/json"),
        ("b'bytes'", b"bytes", "application/json"),
        ("bytearray(b'more')", b"more", "application/json"),
        ("('a,b', 'text/csv')", b"a,b", "text/csv"),
        ("(b'x', 'image/png')", b"x", "image/png"),
    ],
)
def test_a_script_returns_a_text_bytes_or_a_pair_with_the_content_type(
    anything, expression, body, content_type
):
    reply = anything[0](expression)
    assert (reply.status, reply.body) == (200, body)
    assert reply.headers["Content-Type"] == content_type


@pytest.mark.parametrize(
    ("expression", "status", "error"),
    [
        ("fail(ValueError('too odd'))", 500, "ValueError: too odd"),
        ("fail(Busy('later'))", 429, "later"),
        ("fail(Broken())", 503, "Broken"),
        ("{'a': 1}", 500, "TypeError: the script returned dict"),
        ("None", 500, "TypeError: the script returned NoneType"),
        ("('x', 'a\\r\\nb: c')", 500, "ValueError"),
        ("context.set_response_header(0, 'X-A', 'a\\r\\nb')", 500, "ValueError"),
        ("context.set_response_header(0, 'Content-Length', '1')", 500, "ValueError"),
        ("context.set_response_status(204)", 500, "ValueError"),
    ],
)
def test_what_goes_wrong_in_a_script_is_its_answer(anything, expression, status, error):
    reply = anything[0](expression)
    assert reply.status == status
    assert reply.json["error"].startswith(error)
    assert anything[0]("'still here'").body == b"still here"


def test_tracebacks_and_prints_go_to_the_log(anything):
    invoke, container = anything
    invoke("fail(KeyError('the missing one'))")
    text = container.log.read_text()
    assert "asked fail(KeyError('the missing one'))" in text
    assert "Traceback (most recent call last)" in text
    assert "KeyError: 'the missing one'" in text


def test_a_body_that_is_not_utf8_is_400(anything):
    _, container = anything
    assert container.invoke(b"\xff\xfe", "text/csv").status == 400


@pytest.mark.semantics("container.accept")
def test_the_default_accept_can_be_set(tmp_path):
    script = MODEL + "def output_fn(prediction, accept):\n    return accept\n"
    env = {"SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": "text/csv"}
    with a_container(model_folder(tmp_path, script), env=env) as container:
        assert container.invoke({}).body == b"text/csv"
        assert container.invoke({}, Accept="*/*").body == b"text/csv"
        assert container.invoke({}, Accept="image/png, */*;q=0.1").body == b"image/png"


def test_without_a_content_type_a_body_is_json(defaults):
    with connected(defaults.path) as sock, sock.makefile("rb") as stream:
        sock.sendall(post('{"a": 1}').replace(b"Content-Type: application/json\r\n", b""))
        assert read_reply(stream)[2] == b'{"a": 1}'


def test_json_passes_the_default_functions(defaults):
    assert defaults.invoke({"a": [1, 2]}).json == {"a": [1, 2]}
    assert defaults.invoke([[1, 2], [3, 4]]).json == [[1, 2], [3, 4]]
    assert defaults.invoke("text").json == "text"


def test_csv_and_npy_pass_the_default_functions(defaults):
    table = b"1.5,2\n3,4\n"
    assert defaults.invoke(table, "text/csv").json == [[1.5, 2.0], [3.0, 4.0]]
    assert defaults.invoke([[1, 2], [3, 4]], Accept="text/csv").body == b"1,2\n3,4\n"
    stream = io.BytesIO()
    np.save(stream, np.arange(3))
    assert defaults.invoke(stream.getvalue(), "application/x-npy").json == [0, 1, 2]
    reply = defaults.invoke([1, 2], Accept="application/x-npy")
    assert reply.headers["Content-Type"] == "application/x-npy"
    assert np.load(io.BytesIO(reply.body)).tolist() == [1, 2]


def test_other_types_are_refused_with_the_names_of_the_supported_ones(defaults):
    refused = defaults.invoke(b"<a/>", "application/xml")
    assert refused.status == 415
    for name in ("application/xml", "application/json", "text/csv", "application/x-npy"):
        assert name in refused.json["error"]
    unacceptable = defaults.invoke({}, Accept="image/png, text/html")
    assert unacceptable.status == 406
    assert "application/json" in unacceptable.json["error"]
    assert defaults.invoke({}, Accept="image/png, application/json").status == 200


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"{", "application/json"),
        (b"[[1], [1, 2]]", "application/json"),
        (b"1,2\n3\n", "text/csv"),
        (b"no array", "application/x-npy"),
        (b"", "application/x-npy"),
    ],
)
def test_a_body_that_cannot_be_decoded_is_400(defaults, body, content_type):
    assert defaults.invoke(body, content_type).status == 400


def test_an_array_of_pickled_objects_is_not_opened(defaults):
    stream = io.BytesIO()
    np.save(stream, np.array([{}], dtype=object), allow_pickle=True)
    assert defaults.invoke(stream.getvalue(), "application/x-npy").status == 400


def test_a_model_with_predict_is_asked_to_predict(tmp_path):
    script = """
        class Model:
            def predict(self, data):
                return data * 2
        def model_fn(model_dir):
            return Model()
    """
    with a_container(model_folder(tmp_path, script)) as container:
        assert container.invoke([1, 2]).json == [2, 4]


def test_a_folder_without_a_script_does_not_start(tmp_path):
    assert (
        refusal_to_start(tmp_path)
        .splitlines()[-1]
        .startswith("the model folder has no code/inference.py")
    )


@pytest.mark.parametrize("name", ["/etc/passwd.py", "../x.py", "inference"])
def test_a_program_elsewhere_is_refused(tmp_path, name):
    log = refusal_to_start(model_folder(tmp_path, MODEL), SAGEMAKER_PROGRAM=name)
    assert "is not the name of a script in code/" in log


def test_an_unusable_limit_is_refused(tmp_path):
    log = refusal_to_start(model_folder(tmp_path, MODEL), SAGEMAKER_MAX_PAYLOAD_IN_MB="many")
    assert log == "SAGEMAKER_MAX_PAYLOAD_IN_MB 'many' is not a whole number above 0\n"


@pytest.mark.semantics("container.handlers")
@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("def input_fn(a, b): ...", "inference.py defines no model_fn"),
        (
            MODEL + "def transform_fn(m, b, c, a): ...\ndef output_fn(p, a): ...",
            "inference.py defines transform_fn and output_fn; define transform_fn alone",
        ),
        ("def model_fn(d): return 1", "inference.py defines no predict_fn, and what model_fn"),
        (MODEL + "def input_fn(body): ...", "input_fn(body) of inference.py cannot be called"),
        (MODEL + "predict_fn = 3", "predict_fn of inference.py is not a function"),
        (MODEL + "def pre_model_fn(d): open('/x/y')", "pre_model_fn of inference.py failed: File"),
        ("def model_fn(d): open('/nowhere/x')", "model_fn of inference.py failed: FileNotFound"),
        ("import nothing_like_this", "inference.py failed: ModuleNotFoundError: No module named"),
        ("def broken(:", "inference.py failed: SyntaxError"),
    ],
)
def test_an_unusable_script_says_why_in_the_last_line(tmp_path, script, reason):
    log = refusal_to_start(model_folder(tmp_path, script))
    assert log.splitlines()[-1].startswith(reason)


def test_a_failing_model_fn_leaves_its_traceback(tmp_path):
    script = "def model_fn(d):\n    raise RuntimeError('weights are missing')\n"
    log = refusal_to_start(model_folder(tmp_path, script))
    assert "Traceback (most recent call last)" in log
    assert "RuntimeError: weights are missing" in log


def test_the_container_needs_nothing_else_of_parkade():
    code = (
        "import json, sys, parkade.runtime.container.__main__, parkade.runtime.container.cases,"
        "parkade.runtime.container.multi;"
        "print(json.dumps(sorted(m for m in sys.modules if m.startswith('parkade'))))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    room = "parkade.runtime.container"
    others = [name for name in json.loads(out.stdout) if not name.startswith(room)]
    assert others == ["parkade", "parkade.runtime"]
