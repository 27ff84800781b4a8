"""A model folder brought to life: `code/inference.py`, its functions and its model.

The functions are looked at once, when they are loaded: which of them are there, and which take
a context. Afterwards a request is three plain calls.
"""

from __future__ import annotations

import importlib.util
import inspect
import sys
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from . import defaults
from .context import Context, checked
from .messages import JSON, Answer, Request, failure
from .streams import FAILURES, Stream, is_stream

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from types import ModuleType

CODE = "code"
#: What each function is called with; one argument more, and it gets the context as well.
ARGUMENTS = {
    "pre_model_fn": ("model_dir",),
    "model_fn": ("model_dir",),
    "input_fn": ("input_data", "content_type"),
    "predict_fn": ("data", "model"),
    "output_fn": ("prediction", "accept"),
    "transform_fn": ("model", "input_data", "content_type", "accept"),
}


class BadModel(Exception):
    """The model folder cannot be served; the message says why, the cause where."""


class Script:
    """A loaded model with the functions that answer for it."""

    def __init__(
        self,
        *,
        model: Any,
        transform: Callable[..., Any],
        model_dir: Path,
        default_accept: str,
    ) -> None:
        self._model = model
        self._transform = transform
        self._model_dir = model_dir
        self._default_accept = default_accept

    def answer(self, request: Request) -> Answer | Stream:
        """Answer an invocation; whatever the script raises becomes an answer as well."""
        try:
            return self.result(request)
        except FAILURES as error:
            return failure(error)

    def result(self, request: Request) -> Answer | Stream:
        """Answer an invocation; raises whatever the script raises."""
        headers = request.headers
        context = Context(self._model_dir, headers)
        # Without a content type, JSON: what every sample client sends.
        content_type = headers.get(b"content-type", b"application/json").decode("latin-1")
        accept = headers.get(b"accept", b"*/*").decode("latin-1")
        types = defaults.accepted(accept, self._default_accept)
        body = defaults.readable(request.body, content_type)
        result = self._transform(self._model, body, content_type, types, context)
        return _answer(result, types[0], context)


def load(
    model_dir: Path,
    environ: Mapping[str, str],
    *,
    run: Callable[[Path], ModuleType] | None = None,
) -> Script:
    """Import the script of a model folder and load its model. Raises BadModel.

    `run` runs the script and returns its module; without it, it becomes one of this process.
    """
    program = _program(model_dir, environ)
    module = _import(program, run or _run)
    functions = {
        name: _with_context(name, getattr(module, name), program)
        for name in ARGUMENTS
        if hasattr(module, name)
    }
    clash = sorted(functions.keys() & {"input_fn", "predict_fn", "output_fn"})
    if "transform_fn" in functions and clash:
        raise BadModel(
            f"{program.name} defines transform_fn and {', '.join(clash)}; "
            "define transform_fn alone, or leave it out"
        )
    if "model_fn" not in functions:
        raise BadModel(
            f"{program.name} defines no model_fn; it is needed to load the model: "
            "def model_fn(model_dir): ..."
        )
    if "pre_model_fn" in functions:
        _load_by("pre_model_fn", functions, model_dir, program)
    model = _load_by("model_fn", functions, model_dir, program)
    if not functions.keys() & {"transform_fn", "predict_fn"} and not (
        callable(model) or hasattr(model, "predict")
    ):
        raise BadModel(
            f"{program.name} defines no predict_fn, and what model_fn returned "
            f"({type(model).__name__}) neither has predict nor can be called"
        )
    return Script(
        model=model,
        transform=_transform(functions),
        model_dir=model_dir,
        default_accept=environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", JSON),
    )


def code_folder(model_dir: Path) -> Path:
    """Return where the scripts of a model folder are."""
    return model_dir / CODE


def _program(model_dir: Path, environ: Mapping[str, str]) -> Path:
    name = environ.get("SAGEMAKER_PROGRAM") or "inference.py"
    relative = PurePosixPath(name)
    if relative.is_absolute() or ".." in relative.parts or relative.suffix != ".py":
        raise BadModel(f"SAGEMAKER_PROGRAM {name!r} is not the name of a script in {CODE}/")
    program = code_folder(model_dir) / relative
    if not program.is_file():
        raise BadModel(
            f"the model folder has no {CODE}/{name}; "
            f"put the script there, or name another one in SAGEMAKER_PROGRAM"
        )
    return program


def _import(program: Path, run: Callable[[Path], ModuleType]) -> ModuleType:
    try:
        return run(program)
    except FAILURES as error:
        raise BadModel(f"{program.name} failed: {type(error).__name__}: {error}") from error


def _run(program: Path) -> ModuleType:
    """Run the script as a module; its neighbours can be imported by their bare names."""
    folder = str(program.parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    spec = importlib.util.spec_from_file_location(program.stem, program)
    if spec is None or spec.loader is None:
        raise ImportError(f"{program.name} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    # Pickled models name the module they were written from.
    sys.modules[program.stem] = module
    spec.loader.exec_module(module)
    return module


def _load_by(
    name: str, functions: Mapping[str, Callable[..., Any]], model_dir: Path, program: Path
) -> Any:
    try:
        return functions[name](str(model_dir), Context(model_dir, {}))
    except FAILURES as error:
        raise BadModel(
            f"{name} of {program.name} failed: {type(error).__name__}: {error}"
        ) from error


def _with_context(name: str, function: Any, program: Path) -> Callable[..., Any]:
    """Return the function as one that takes the context as its last argument."""
    wanted = ARGUMENTS[name]
    call = f"{name}({', '.join(wanted)})"
    if not callable(function):
        raise BadModel(f"{name} of {program.name} is not a function; it is called as {call}")
    signature = inspect.signature(function)
    for count in (len(wanted) + 1, len(wanted)):
        try:
            bound = signature.bind(*range(count))
        except TypeError:
            continue
        takes_context = count > len(wanted) and _is_context(signature, list(bound.arguments)[-1])
        if takes_context:
            return function  # type: ignore[no-any-return]
        if count == len(wanted):
            return lambda *args: function(*args[:-1])
    raise BadModel(
        f"{name}{signature} of {program.name} cannot be called as {call}, "
        "with or without a context at the end"
    )


def _is_context(signature: inspect.Signature, name: str) -> bool:
    """Tell an argument meant for the context from an option of the script's own."""
    return (
        name in {"context", "ctx"} or signature.parameters[name].default is inspect.Parameter.empty
    )


def _transform(functions: Mapping[str, Callable[..., Any]]) -> Callable[..., Any]:
    """Return one function of model, data, content type, accepted types and context."""
    transform_fn = functions.get("transform_fn")
    if transform_fn is not None:
        return lambda model, data, content_type, types, context: transform_fn(
            model, data, content_type, types[0], context
        )
    input_fn = functions.get("input_fn")
    predict_fn = functions.get("predict_fn")
    output_fn = functions.get("output_fn")

    def transform(
        model: Any, data: Any, content_type: str, types: tuple[str, ...], context: Context
    ) -> Any:
        value = (
            input_fn(data, content_type, context)
            if input_fn
            else defaults.input_fn(data, content_type)
        )
        value = (
            predict_fn(value, model, context) if predict_fn else defaults.predict_fn(value, model)
        )
        if output_fn:
            return output_fn(value, types[0], context)
        return value if is_stream(value) else defaults.output_fn(value, types)

    return transform


def _answer(result: Any, accept: str, context: Context) -> Answer | Stream:
    """Turn what output_fn or transform_fn returned into an answer."""
    content_type = context.response_content_type or accept
    body = result
    if isinstance(result, tuple) and len(result) == 2:
        body, content_type = result
    if isinstance(body, str):
        body = body.encode()
    elif not isinstance(body, bytes):
        if is_stream(body):
            named = content_type if body is not result else ""
            return Stream(body, context, accept, checked(named))
        if not isinstance(body, bytearray | memoryview):
            raise TypeError(
                f"the script returned {type(body).__name__}; output_fn and transform_fn return "
                "bytes, a text, an iterator of these, or a pair of one of these and its content "
                "type"
            )
        body = bytes(body)
    return Answer(context.status, body, checked(content_type), context.response_headers)
