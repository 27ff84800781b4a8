"""Many models in one real container, told over its real socket what to load."""

import json
import os
import signal
import sys
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

import psutil
import pytest

from tests.runtime.container.harness import (
    PATIENCE,
    a_container,
    connected,
    model_folder,
    post,
    read_reply,
    until,
)

MULTI = (sys.executable, "-m", "parkade.runtime.container.multi")
MIB = 1024 * 1024

# Answers with the word in helpers.py beside it; "later" imports it by then only.
WORD = """
    import json
    import helpers

    def model_fn(model_dir):
        return helpers.WORD

    def transform_fn(model, body, content_type, accept, context):
        import lazy
        from helpers import WORD as again
        header = context.get_request_header(0, "X-Amzn-SageMaker-Target-Model")
        return json.dumps([model, again, lazy.WORD, header])
"""

# Takes as many MiB as the file beside the script says.
HEAVY = """
    import pathlib

    def model_fn(model_dir):
        size = int((pathlib.Path(model_dir) / "size").read_text())
        return b"x" * (size * 1024 * 1024)

    def transform_fn(model, body, content_type, accept):
        return str(len(model))
"""


@contextmanager
def a_multi(folder, **env):
    with a_container(folder, command=MULTI, env=env) as container:
        container.folder = folder
        yield container


@pytest.fixture
def multi(tmp_path):
    with a_multi(tmp_path) as container:
        yield container


def a_word(folder, word):
    text = f"WORD = {word!r}"
    return model_folder(folder, WORD, helpers=text, lazy=text)


def a_heavy(folder, size):
    model_folder(folder, HEAVY)
    (folder / "size").write_text(str(size))
    return folder


def load(container, name, url=None):
    url = str(url or container.folder / name)
    return container.ask("POST", "/models", json.dumps({"model_name": name, "url": url}))


def loaded(container, name, url=None):
    reply = load(container, name, url)
    assert reply.status == 200, reply.body
    return reply.json


def invoke(container, name, body="", **headers):
    extra = {key.replace("_", "-"): value for key, value in headers.items()}
    return container.ask(
        "POST", f"/models/{name}/invoke", body, {"Content-Type": "text/csv", **extra}
    )


def unload(container, name):
    return container.ask("DELETE", f"/models/{name}")


def names(container, query=""):
    return [model["modelName"] for model in container.ask("GET", f"/models{query}").json["models"]]


# The contract.


def test_it_answers_pings_and_lists_nothing_before_a_model_is_loaded(multi):
    assert multi.ask("GET", "/ping").status == 200
    assert multi.ask("GET", "/models").json == {"models": []}


@pytest.mark.semantics("multi.invoke")
def test_a_model_is_loaded_described_invoked_and_unloaded(multi):
    a_word(multi.folder / "one", "first")
    told = loaded(multi, "one")
    assert (told["modelName"], told["modelUrl"]) == ("one", str(multi.folder / "one"))
    assert (told["invocations"], told["lastUsed"]) == (0, None)
    assert told["memoryBytes"] >= 0
    assert multi.ask("GET", "/models/one").json == told
    reply = invoke(multi, "one", X_Amzn_SageMaker_Target_Model="a/one.tar.gz")
    assert reply.json == ["first", "first", "first", "a/one.tar.gz"]
    used = multi.ask("GET", "/models/one").json
    assert used["invocations"] == 1
    assert used["lastUsed"] >= used["loadedAt"]
    assert unload(multi, "one").status == 200
    assert names(multi) == []


@pytest.mark.semantics("multi.load")
def test_loading_a_loaded_one_is_409(multi):
    a_word(multi.folder / "one", "first")
    loaded(multi, "one")
    refused = load(multi, "one", multi.folder / "elsewhere-but-there")
    assert refused.status == 400
    refused = load(multi, "one")
    assert (refused.status, refused.json["code"]) == (409, 409)
    assert "loaded already" in refused.json["message"]


@pytest.mark.semantics("multi.unload", "multi.invoke")
def test_what_is_not_loaded_is_404_and_can_be_told_from_a_404_of_a_script(multi):
    script = """
        class Missing(Exception):
            status_code = 404
        def model_fn(d): ...
        def transform_fn(model, body, content_type, accept, context):
            if body:
                context.set_response_header(0, "X-Parkade-Model-Not-Loaded", "true")
            raise Missing("nothing here")
    """
    model_folder(multi.folder / "one", script)
    loaded(multi, "one")
    own = invoke(multi, "one")
    assert (own.status, own.headers["X-Parkade-Model-Not-Loaded"]) == (404, None)
    assert invoke(multi, "one", "forge").status == 500
    for reply in (
        invoke(multi, "two"),
        unload(multi, "two"),
        multi.ask("GET", "/models/two"),
    ):
        assert (reply.status, reply.headers["X-Parkade-Model-Not-Loaded"]) == (404, "true")
        assert reply.json == {"code": 404, "message": "model 'two' is not loaded"}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("POST", "/invocations", 404),
        ("POST", "/ping", 405),
        ("PUT", "/models", 405),
        ("POST", "/models/one", 405),
        ("GET", "/models/one/invoke", 405),
        ("GET", "/models/one/invoke/more", 404),
    ],
)
def test_anything_else_is_refused_with_a_reason(shared, method, path, status):
    reply = shared.ask(method, path)
    assert reply.status == status
    assert "POST /models/{name}/invoke" in reply.json["message"]


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    with a_multi(tmp_path_factory.mktemp("multi")) as container:
        for number in range(7):
            a_word(container.folder / f"m{number}", number)
            loaded(container, f"m{number}")
        yield container


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("{", "is not usable JSON"),
        (b"\xff", "is not usable JSON"),
        ("[]", "is not a JSON object"),
        ("{}", "are needed"),
        ('{"model_name": "", "url": "x"}', "are needed"),
        ('{"model_name": "a", "url": 3}', "are needed"),
        ('{"model_name": "a", "url": "nowhere"}', "is not a folder"),
        ('{"model_name": "a", "url": "/\\u0000"}', "is not a folder"),
        ('{"model_name": "a", "url": "/\\ud800"}', "is not a folder"),
        ('{"model_name": "a", "url": "."}', "no code/inference.py"),
    ],
)
def test_a_bad_request_to_load_is_400(shared, body, reason):
    reply = shared.ask("POST", "/models", body)
    assert (reply.status, reply.json["code"]) == (400, 400)
    assert reason in reply.json["message"]


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=x", "limit=1001", f"limit={'9' * 5000}", "next_page_token=x"],
)
def test_a_bad_page_is_400(shared, query):
    assert shared.ask("GET", f"/models?{query}").status == 400


@pytest.mark.semantics("multi.list")
def test_pages_give_every_model_once(shared):
    seen, token = [], ""
    while True:
        page = shared.ask("GET", f"/models?limit=3{token}").json
        assert len(page["models"]) <= 3
        seen += [model["modelName"] for model in page["models"]]
        if "nextPageToken" not in page:
            break
        token = f"&next_page_token={page['nextPageToken']}"
    assert seen == [f"m{number}" for number in range(7)]


def test_a_page_stays_right_when_its_last_model_goes(multi):
    for number in range(4):
        a_word(multi.folder / f"m{number}", number)
        loaded(multi, f"m{number}")
    token = multi.ask("GET", "/models?limit=2").json["nextPageToken"]
    unload(multi, "m1")
    assert names(multi, f"?next_page_token={token}") == ["m2", "m3"]


def test_names_are_opaque(multi):
    a_word(multi.folder / "one", "first")
    name = "a/b ü.tar.gz"
    loaded(multi, name, multi.folder / "one")
    quoted = "a%2Fb%20%C3%BC.tar.gz"
    assert invoke(multi, quoted).json[0] == "first"
    assert multi.ask("GET", f"/models/{quoted}").json["modelName"] == name
    assert unload(multi, quoted).status == 200


def test_a_relative_url_is_one_in_the_models_folder(multi):
    a_word(multi.folder / "deep" / "one", "first")
    loaded(multi, "one", "deep/one")
    assert invoke(multi, "one").json[0] == "first"


# Isolation.


def test_models_do_not_see_each_others_modules(multi):
    words = ["first", "second", "third"]
    for word in words:
        a_word(multi.folder / word, word)
        loaded(multi, word)
    for word in reversed(words):
        assert invoke(multi, word).json[:3] == [word] * 3


def test_a_module_that_only_another_model_has_is_missing(multi):
    a_word(multi.folder / "one", "first")
    loaded(multi, "one")
    invoke(multi, "one")
    script = """
        try:
            import helpers
            MODEL = "leaked"
        except ModuleNotFoundError as error:
            MODEL = str(error)
        def model_fn(d): return MODEL
        def transform_fn(model, body, content_type, accept): return model
    """
    model_folder(multi.folder / "two", script)
    loaded(multi, "two")
    assert invoke(multi, "two").body == b"No module named 'helpers'"


PACKAGE = """
    import importlib, json, logging, pickle, sys, threading
    from dataclasses import dataclass
    import tools
    import tools.deep as deep
    from tools import *
    from tools.deep import WORD as deep_word
    import tools.other.leaf

    @dataclass
    class Point:
        word: "str"

    def model_fn(model_dir):
        # As if they had been pickled by a training job.
        function = pickle.loads(b"ctools.deep\\nword\\n.")
        own = pickle.loads(b"cinference\\nPoint\\n.")
        pickled = pickle.loads(pickle.dumps(own("pickled " + tools.WORD)))
        return [tools.WORD, deep.WORD, WORD, deep_word, tools.other.leaf.WORD, function(),
                pickled.word, importlib.import_module("tools.deep").WORD]

    def transform_fn(model, body, content_type, accept):
        import pickle
        found = []
        def look():
            import plain
            found.append(plain.WORD)
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
        name = eval("__import__('plain')").WORD
        return json.dumps([*model, *found, name, pickle.loads(b"cplain\\nWORD\\n.")])
"""


def a_package(folder, word):
    model_folder(folder, PACKAGE, plain=f"WORD = {word!r}")
    text = f"WORD = {word!r}\n"
    files = {
        "tools/__init__.py": f"__all__ = ['WORD']\nfrom .deep import WORD\nWORD = {word!r}\n",
        "tools/deep.py": f"from . import other\n{text}def word():\n    return WORD\n",
        "tools/other/__init__.py": "",
        "tools/other/leaf.py": "from ..deep import WORD\n",
    }
    for name, content in files.items():
        path = folder / "code" / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(content)
    return folder


def test_packages_pickles_threads_and_late_imports_find_the_models_own(multi):
    for word in ("first", "second"):
        a_package(multi.folder / word, word)
        loaded(multi, word)
    for word in ("first", "second", "first"):
        reply = invoke(multi, word)
        expected = [*[word] * 6, f"pickled {word}", *[word] * 4]
        assert (reply.status, json.loads(reply.body)) == (200, expected)


def test_a_model_may_have_a_module_called_like_an_installed_one(multi):
    """It sees its own; the container and the other models see the installed one."""
    shadow = """
        import colorsys, statistics
        def model_fn(d): return f"{colorsys.WORD} {statistics.median([3])}"
        def transform_fn(model, body, content_type, accept): return model
    """
    model_folder(multi.folder / "one", shadow, colorsys="WORD = 'mine'")
    plain = """
        import colorsys
        def model_fn(d): return colorsys.rgb_to_hsv(0, 0, 0)
        def transform_fn(model, body, content_type, accept): return str(model)
    """
    model_folder(multi.folder / "two", plain)
    loaded(multi, "one")
    loaded(multi, "two")
    assert invoke(multi, "one").body == b"mine 3"
    assert invoke(multi, "two").body == b"(0.0, 0.0, 0)"


def test_another_program_is_served_under_its_name(tmp_path):
    script = (
        "import neighbour\ndef model_fn(d): return neighbour.WORD\n"
        "def transform_fn(m, b, c, a): return m\n"
    )
    folder = model_folder(tmp_path / "one", "raise RuntimeError")
    (folder / "code" / "sub").mkdir()
    (folder / "code" / "sub" / "serve.v2.py").write_text(script)
    (folder / "code" / "sub" / "neighbour.py").write_text("WORD = 'beside'")
    with a_multi(tmp_path, SAGEMAKER_PROGRAM="sub/serve.v2.py") as container:
        loaded(container, "one")
        assert invoke(container, "one").body == b"beside"


def test_a_model_is_loaded_anew_after_it_was_unloaded(multi):
    a_word(multi.folder / "one", "first")
    loaded(multi, "one")
    assert invoke(multi, "one").json[2] == "first"
    unload(multi, "one")
    for name in ("helpers", "lazy"):
        (multi.folder / "one" / "code" / f"{name}.py").write_text("WORD = 'changed'\n")
    loaded(multi, "one")
    assert invoke(multi, "one").json[:3] == ["changed"] * 3


# What goes wrong in scripts.


@pytest.mark.parametrize(
    ("script", "status", "reason"),
    [
        ("def input_fn(a, b): ...", 400, "inference.py defines no model_fn"),
        ("import nothing_like_this", 500, "No module named 'nothing_like_this'"),
        ("def broken(:", 500, "SyntaxError"),
        ("raise SystemExit(3)", 500, "inference.py failed: SystemExit: 3"),
        ("raise KeyboardInterrupt", 500, "KeyboardInterrupt"),
        ("def model_fn(d): raise ValueError('odd weights')", 500, "ValueError: odd weights"),
        ("def model_fn(d): raise MemoryError", 507, "MemoryError"),
        ("def model_fn(d): return bytes(1 << 60)", 507, "MemoryError"),
    ],
)
def test_a_script_that_fails_says_why_and_harms_nobody(shared, script, status, reason, tmp_path):
    reply = load(shared, "bad", model_folder(tmp_path, script))
    assert (reply.status, reply.json["code"]) == (status, status)
    assert reason in reply.json["message"]
    assert invoke(shared, "m3").json[0] == 3
    assert "bad" not in names(shared)
    assert load(shared, "bad", model_folder(tmp_path / "again", script)).status == status


def test_the_last_lines_of_a_traceback_are_in_the_answer_and_all_in_the_log(shared, tmp_path):
    script = "def model_fn(d):\n    weights = open('/nowhere/x')\n"
    message = load(shared, "bad", model_folder(tmp_path, script)).json["message"]
    assert 'inference.py", line 2, in model_fn' in message
    assert "FileNotFoundError" in message
    assert "Traceback (most recent call last)" in shared.log.read_text()


def test_exits_and_errors_in_requests_harm_nobody(shared, tmp_path):
    script = """
        def model_fn(d): ...
        def transform_fn(model, body, content_type, accept): exec(body)
    """
    loaded(shared, "breaking", model_folder(tmp_path, script))
    assert invoke(shared, "breaking", "raise SystemExit").status == 500
    assert invoke(shared, "breaking", "1/0").status == 500
    assert invoke(shared, "breaking", "bytes(1 << 60)").status == 507
    assert invoke(shared, "m1").json[0] == 1
    unload(shared, "breaking")


def test_requirements_that_are_met_are_no_hindrance(multi):
    folder = a_word(multi.folder / "one", "first")
    (folder / "code" / "requirements.txt").write_text(
        "# what it needs\nuvloop>=0.1 --hash=sha256:00\nhttptools\n"
        "nothing-like-this; python_version < '3'\n--no-index\n-r more.txt\n"
    )
    (folder / "code" / "more.txt").write_text("pydantic>=2,\\\n  <100\n")
    loaded(multi, "one")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("nothing-like-this", "nothing-like-this"),
        ("uvloop>=99", "uvloop>=99"),
        ("./colours-1.0-py3-none-any.whl", "colours-1.0"),
        ("-r missing.txt", "-r missing.txt"),
        ("what is this", "what is this"),
    ],
)
def test_requirements_that_are_not_met_are_told_with_what_to_do(shared, line, told, tmp_path):
    folder = a_word(tmp_path, "first")
    (folder / "code" / "requirements.txt").write_text(f"httptools\n{line}\n")
    reply = load(shared, "needy", folder)
    assert reply.status == 400
    assert told in reply.json["message"]
    assert "httptools" not in reply.json["message"]
    assert "PARKADE_REQUIREMENTS" in reply.json["message"]


# In the background.

GATED = """
    import pathlib
    def model_fn(model_dir):
        return (pathlib.Path(model_dir) / "gate").read_text()
    def transform_fn(model, body, content_type, accept):
        return model
"""

SPINNING = """
    import pathlib
    def model_fn(model_dir):
        while not (pathlib.Path(model_dir) / "gate").exists():
            sum(range(10_000))
        return "spun"
    def transform_fn(model, body, content_type, accept):
        return model
"""


def a_gated(folder):
    """A model whose load waits, in the system, until its pipe is written to."""
    model_folder(folder, GATED)
    os.mkfifo(folder / "gate")
    return folder


@pytest.mark.parametrize("how", [GATED, SPINNING], ids=["waiting", "computing"])
def test_others_answer_while_one_is_loaded(multi, how):
    a_word(multi.folder / "fast", "first")
    loaded(multi, "fast")
    model_folder(multi.folder / "slow", how)
    if how is GATED:
        os.mkfifo(multi.folder / "slow" / "gate")
    with ThreadPoolExecutor(1) as pool:
        loading = pool.submit(load, multi, "slow")
        for _ in range(200):
            assert invoke(multi, "fast").json[0] == "first"
            assert multi.ask("GET", "/ping").status == 200
        assert names(multi) == ["fast"]
        assert invoke(multi, "slow").status == 404
        assert not loading.done()
        (multi.folder / "slow" / "gate").write_text("spun")
        assert loading.result(PATIENCE).status == 200
    assert invoke(multi, "slow").body == b"spun"


def test_loads_wait_for_each_other_and_all_come(multi):
    a_gated(multi.folder / "slow")
    for number in range(3):
        a_word(multi.folder / f"m{number}", number)
    with ThreadPoolExecutor(4) as pool:
        slow = pool.submit(load, multi, "slow")
        with (multi.folder / "slow" / "gate").open("w") as gate:
            rest = [pool.submit(load, multi, f"m{number}") for number in range(3)]
            again = pool.submit(load, multi, "slow")
            assert multi.ask("GET", "/ping").status == 200
            assert names(multi) == []
            gate.write("done")
        assert [load.result(PATIENCE).status for load in rest] == [200] * 3
        # One of the two that asked for the same has loaded it.
        assert sorted([slow.result(PATIENCE).status, again.result(PATIENCE).status]) == [200, 409]
    assert sorted(names(multi)) == ["m0", "m1", "m2", "slow"]


def test_what_is_unloaded_while_it_is_loaded_is_gone_afterwards(multi):
    a_gated(multi.folder / "slow")
    with ThreadPoolExecutor(2) as pool:
        loading = pool.submit(load, multi, "slow")
        with (multi.folder / "slow" / "gate").open("w") as gate:
            unloading = pool.submit(unload, multi, "slow")
            assert multi.ask("GET", "/ping").status == 200
            gate.write("done")
        assert loading.result(PATIENCE).status == 200
        assert unloading.result(PATIENCE).status == 200
    assert names(multi) == []


@pytest.mark.semantics("container.load_time")
@pytest.mark.parametrize("how", [GATED, SPINNING], ids=["waiting", "computing"])
def test_a_load_that_hangs_is_given_up_and_the_next_goes_on(tmp_path, how):
    with a_multi(tmp_path, SAGEMAKER_STARTUP_TIMEOUT="1") as multi:
        model_folder(multi.folder / "hangs", how)
        os.mkfifo(multi.folder / "hangs" / "gate") if how is GATED else None
        a_word(multi.folder / "one", "first")
        reply = load(multi, "hangs")
        assert (reply.status, reply.json["code"]) == (500, 500)
        assert "not loaded within 1 s" in reply.json["message"]
        loaded(multi, "one")
        assert names(multi) == ["one"]
        # The name is free again, and a script that was mended is loaded.
        (multi.folder / "hangs" / "code" / "inference.py").write_text(
            "def model_fn(d): return 'mended'\ndef transform_fn(m, b, c, a): return m\n"
        )
        loaded(multi, "hangs")
        assert invoke(multi, "hangs").body == b"mended"
        if how is GATED:
            # It comes back from where it hung, to nothing: it may close the pipe before a word.
            with suppress(BrokenPipeError):
                (multi.folder / "hangs" / "gate").write_text("late")
            assert invoke(multi, "hangs").body == b"mended"
        multi.process.send_signal(signal.SIGTERM)
        assert multi.wait() == 0


def test_a_client_that_hangs_up_does_not_end_the_load(multi):
    a_gated(multi.folder / "slow")
    body = json.dumps({"model_name": "slow", "url": "slow"})
    sock = connected(multi.path)
    sock.sendall(post(body, path="/models"))
    with (multi.folder / "slow" / "gate").open("w") as gate:
        sock.close()
        gate.write("done")
    until(lambda: names(multi) == ["slow"])


# Streams and what is under way.

STREAM = """
    import helpers, pathlib
    def model_fn(model_dir): return pathlib.Path(model_dir)
    def transform_fn(folder, body, content_type, accept):
        return later(folder) if body == "later" else parts(folder)
    def parts(folder):
        yield "begun "
        (folder / "gate").read_text()
        import lazy
        yield lazy.WORD
    async def later(folder):
        import asyncio
        yield "begun "
        while not (folder / "flag").exists():
            await asyncio.sleep(0.001)
        import pickle
        yield pickle.loads(b"clazy\\nWORD\\n.")
"""


def a_streaming(folder, word):
    text = f"WORD = {word!r}"
    model_folder(folder, STREAM, helpers=text, lazy=text)
    os.mkfifo(folder / "gate")
    return folder


def begin_stream(container, name, body):
    sock = connected(container.path)
    sock.sendall(post(body, path=f"/models/{name}/invoke"))
    stream = sock.makefile("rb")
    while stream.readline() != b"\r\n":
        pass
    assert stream.readline() == b"6\r\n"
    assert stream.readline() == b"begun \r\n"
    return sock, stream


def test_a_model_goes_when_its_streams_have_ended(multi):
    a_streaming(multi.folder / "one", "first")
    a_streaming(multi.folder / "two", "second")
    loaded(multi, "one")
    loaded(multi, "two")
    sock, stream = begin_stream(multi, "one", "later")
    with sock, stream, ThreadPoolExecutor(1) as pool:
        unloading = pool.submit(unload, multi, "one")
        until(lambda: names(multi) == ["two"])
        # Nothing new is begun, and what was begun goes on.
        assert invoke(multi, "one").status == 404
        assert not unloading.done()
        (multi.folder / "one" / "flag").touch()
        assert stream.read(10) == b"5\r\nfirst\r\n"
        assert unloading.result(PATIENCE).status == 200


def test_a_model_goes_when_the_client_of_its_stream_is_gone(multi):
    a_streaming(multi.folder / "one", "first")
    loaded(multi, "one")
    sock, stream = begin_stream(multi, "one", "later")
    with ThreadPoolExecutor(1) as pool:
        unloading = pool.submit(unload, multi, "one")
        until(lambda: names(multi) == [])
        assert not unloading.done()
        stream.close()
        sock.close()
        assert unloading.result(PATIENCE).status == 200


def test_streams_import_their_models_own_modules(multi):
    for word in ("first", "second"):
        a_streaming(multi.folder / word, word)
        loaded(multi, word)
    streams = {word: begin_stream(multi, word, "later") for word in ("first", "second")}
    for word in ("second", "first"):
        (multi.folder / word / "flag").touch()
        sock, stream = streams[word]
        with sock, stream:
            assert stream.readline() == b"%x\r\n" % len(word)
            assert stream.readline() == word.encode() + b"\r\n"


def test_sigterm_finishes_loads_and_streams(multi):
    a_streaming(multi.folder / "one", "first")
    loaded(multi, "one")
    sock, stream = begin_stream(multi, "one", "parts")
    with sock, stream:
        multi.process.send_signal(signal.SIGTERM)
        (multi.folder / "one" / "gate").write_text("go")
        assert stream.read() == b"5\r\nfirst\r\n0\r\n\r\n"
    assert multi.wait() == 0


# Memory.


def resident(container):
    return psutil.Process(container.process.pid).memory_info().rss


@contextmanager
def a_limited(folder, above):
    """A container that may grow by so many MiB."""
    with a_multi(folder) as probe:
        base = resident(probe)
    with a_multi(folder, PARKADE_MODELS_MEMORY_MB=str(base // MIB + above)) as container:
        yield container


def test_a_models_size_is_told_and_given_back(multi):
    a_heavy(multi.folder / "heavy", 50)
    before = resident(multi)
    told = loaded(multi, "heavy")
    assert 49 * MIB < told["memoryBytes"] < 60 * MIB
    assert resident(multi) > before + 49 * MIB
    assert invoke(multi, "heavy").body == str(50 * MIB).encode()
    assert unload(multi, "heavy").status == 200
    assert resident(multi) < before + 10 * MIB


def test_small_objects_and_cycles_are_given_back_as_well(multi):
    script = """
        class Node:
            pass
        def model_fn(d):
            nodes = []
            for number in range(200_000):
                node = Node()
                node.itself, node.words = node, [str(number)]
                nodes.append(node)
            nodes[0].all = nodes
            return nodes[0]
        def transform_fn(model, body, content_type, accept): return "there"
    """
    model_folder(multi.folder / "cycles", script)
    before = resident(multi)
    size = loaded(multi, "cycles")["memoryBytes"]
    assert size > 20 * MIB
    unload(multi, "cycles")
    assert resident(multi) < before + size // 4


@pytest.mark.semantics("multi.load")
def test_at_the_limit_a_load_is_507_until_another_is_unloaded(tmp_path):
    for number in range(4):
        a_heavy(tmp_path / f"m{number}", 40)
    with a_limited(tmp_path, 100) as multi:
        loaded(multi, "m0")
        loaded(multi, "m1")
        for _ in range(3):
            refused = load(multi, "m2")
            assert (refused.status, refused.json["code"]) == (507, 507)
            assert "2 models are loaded" in refused.json["message"]
        assert names(multi) == ["m0", "m1"]
        assert invoke(multi, "m0").status == 200
        assert unload(multi, "m0").status == 200
        loaded(multi, "m2")
        assert names(multi) == ["m1", "m2"]


def test_what_does_not_fit_at_all_says_so(tmp_path):
    a_heavy(tmp_path / "huge", 150)
    a_heavy(tmp_path / "small", 10)
    with a_limited(tmp_path, 100) as multi:
        before = resident(multi)
        refused = load(multi, "huge")
        assert refused.status == 507
        assert "does not fit at all" in refused.json["message"]
        assert resident(multi) < before + 20 * MIB
        loaded(multi, "small")


def test_a_load_that_takes_memory_without_end_is_stopped(tmp_path):
    a_word(tmp_path / "good", "first")
    script = """
        import time
        def model_fn(d):
            taken = []
            while True:
                taken.append(b"x" * 1024 * 1024)
                time.sleep(0.001)
    """
    model_folder(tmp_path / "greedy", script)
    with a_limited(tmp_path, 100) as multi:
        loaded(multi, "good")
        refused = load(multi, "greedy")
        assert refused.status == 507
        assert invoke(multi, "good").json[0] == "first"
        a_heavy(tmp_path / "next", 40)
        loaded(multi, "next")


def test_models_that_come_and_go_leave_nothing_behind(tmp_path):
    """Each load is another 10 MiB in the room of two; what a model leaves is used again."""
    for number in range(3):
        a_heavy(tmp_path / f"m{number}", 10)
    with a_limited(tmp_path, 32) as multi:
        refused = 0
        for turn in range(30):
            while (reply := load(multi, f"m{turn % 3}")).status == 507:
                refused += 1
                unload(multi, names(multi)[0])
            assert reply.status == 200, reply.body
            assert invoke(multi, f"m{turn % 3}").status == 200
            if len(names(multi)) == 3:
                unload(multi, names(multi)[0])
        assert len(names(multi)) >= 2
        # At most one refusal for each load, and no more unloaded than needed.
        assert refused <= 30


def test_an_unusable_limit_is_refused(tmp_path):
    for name in ("PARKADE_MODELS_MEMORY_MB", "SAGEMAKER_STARTUP_TIMEOUT"):
        with a_container(tmp_path, command=MULTI, env={name: "much"}, ready=False) as container:
            assert container.wait() == 1
            assert container.log.read_text() == f"{name} 'much' is not a whole number above 0\n"


# All at once.


def test_models_come_go_and_answer_at_once_without_mixing(multi):
    """Four clients load, invoke and unload twelve models as they like; none gets another's word."""
    for number in range(12):
        a_word(multi.folder / f"m{number}", number)
    mistakes = []

    def client(seed):
        for turn in range(60):
            number = (seed * 7 + turn * 5 + turn * turn * seed) % 12
            load_reply = load(multi, f"m{number}")
            if load_reply.status not in {200, 409}:
                mistakes.append(load_reply.body)
            reply = invoke(multi, f"m{number}")
            if reply.status != 404 and (reply.status != 200 or reply.json[:3] != [number] * 3):
                mistakes.append((number, reply.body))
            if turn % 3 == 0:
                unload(multi, f"m{number}")

    threads = [threading.Thread(target=client, args=(seed,)) for seed in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert mistakes == []


def test_the_log_has_what_models_print(multi):
    script = textwrap.dedent(
        """
        print("loading " * 3)
        def model_fn(d):
            for _ in range(20_000):
                print("without end")
        def transform_fn(m, b, c, a): return "quiet"
        """
    )
    model_folder(multi.folder / "loud", script)
    loaded(multi, "loud")
    assert invoke(multi, "loud").body == b"quiet"
    assert "loading loading" in multi.log.read_text()


def test_pipelined_requests_wait_for_a_load_before_them(multi):
    a_word(multi.folder / "one", "first")
    body = json.dumps({"model_name": "one", "url": "one"})
    with connected(multi.path) as sock, sock.makefile("rb") as stream:
        sock.sendall(post(body, path="/models") + post("", path="/models/one/invoke"))
        assert read_reply(stream)[0] == 200
        status, _, answer = read_reply(stream)
        assert (status, json.loads(answer)[0]) == (200, "first")
