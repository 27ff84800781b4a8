"""`parkade demo`: the whole of Parkade at once, with the sample model, until Ctrl-C.

It does what a user would do with `parkade up` and the commands after it, on a state folder of
its own. Doing it again takes up what is there.
"""

import contextlib
import hashlib
import math
import os
import secrets
import signal
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import platformdirs
import typer

from parkade.apps import settings
from parkade.apps.cli import child, options, render, sample, waiting, watch
from parkade.apps.cli.child import Server
from parkade.apps.cli.client import Client, Refused
from parkade.apps.settings import ClientSettings
from parkade.domain.token import Role
from parkade.runtime import packing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

ENDPOINT = "text"
ROUTE = "/text"
IMAGE = "sagemaker-scikit-learn"
SENTENCE = "Baseball is one of the most popular sports in the United States."
_LABELS = {1: "World", 2: "Sports", 3: "Business", 4: "Sci/Tech"}
#: Seconds for an endpoint to be in a state in which it can be removed.
_READY = 60.0


def demo(
    minutes: Annotated[
        float, typer.Option("--minutes", "-m", metavar="N", min=0.1, help="Minutes on the meter.")
    ] = 10,
    port: Annotated[
        int,
        typer.Option(
            metavar="N", min=1, max=65535, help="Port; where it is taken, the next free one."
        ),
    ] = 8700,
    state: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="State folder; else one of the demo's own.", show_default=False
        ),
    ] = None,
) -> None:
    """See it all at once: server, sample model, lines to try.

    [dim]Example:[/dim] parkade demo --minutes 10
    """
    options.minutes(minutes)
    chosen = settings.server_settings(state=state or platformdirs.user_data_path("parkade-demo"))
    with _stoppable():
        work = chosen.paths.state / "demo"
        chosen.paths.make()
        work.mkdir(mode=0o700, exist_ok=True)
        with render.working("Preparing the sample model") as tell:
            folder = sample.prepare(work, chosen.cache, tell)
        archive = packing.pack(folder, work / "model.tar.gz").path
        with child.running(chosen.paths, child.free_port(port)) as server:
            _show(server, archive, minutes)


class _Stopped(BaseException):
    """Somebody asked the demo to end."""


@contextlib.contextmanager
def _stoppable() -> "Iterator[None]":
    """Turn the signals that end a program into one exception."""

    def stop(_number: int, _frame: "FrameType | None") -> None:
        # One is enough: the next must not break off the orderly end.
        for each in numbers:
            signal.signal(each, signal.SIG_IGN)
        raise _Stopped

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield
    except _Stopped:
        render.note("Stopped; no process is left behind.")
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _show(server: Server, archive: Path, minutes: float) -> None:
    with server.client() as client:
        config = _deploy(client, archive)
        _pay(client, config, minutes)
        waiting.until_running(client, ENDPOINT)
        client.put("routes", ROUTE.removeprefix("/"), body={"endpoint_name": ENDPOINT})
        begun = time.perf_counter()
        body = b'{"sentence": "%s"}' % SENTENCE.encode()
        answer = client.invoke(ENDPOINT, body, {"Content-Type": "application/json"})
        took = time.perf_counter() - begun
        label = _LABELS.get(answer.json().get("label"), "?")
        render.say(f"{SENTENCE}\n  -> {answer.text.strip()}  ({label}, {took * 1000:.0f} ms)\n")
        render.say(card(server.url, _token(server, client)))
        _accompany(server, client)


def _deploy(client: Client, archive: Path) -> str:
    """Push the model and make its config; what the same sample made before is used again."""
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()[:8]
    name = f"{sample.NAME}-{digest}"
    bucket, key = "parkade-demo", f"{name}/model.tar.gz"
    if not _there(client, "models", name):
        with archive.open("rb") as source:
            client.upload(bucket, key, iter([source.read()]), archive.stat().st_size)
        data_url = f"s3://{bucket}/{key}"
        client.post("models", body={"name": name, "image": IMAGE, "data_url": data_url})
    if not _there(client, "configs", name):
        variant = options.variant(f"model={name}")
        client.post("configs", body={"name": name, "variants": [variant]})
    return name


def _there(client: Client, noun: str, name: str) -> bool:
    return any(each["name"] == name for each in client.pages(noun))


def _pay(client: Client, config: str, minutes: float) -> None:
    """Have the endpoint run this config, with at least these minutes on its meter."""
    lease = _lease(client)
    if lease is not None and lease["config_name"] != config:
        # The sample has changed since.
        _remove(client)
        lease = None
    if lease is None:
        body = {"config_name": config, "minutes": minutes, "owner": "demo"}
        client.put("leases", ENDPOINT, body=body)
        return
    missing = minutes - lease["time_left_seconds"] / 60
    if missing > 0:
        client.post("leases", ENDPOINT, "extend", body={"minutes": missing})


def _lease(client: Client) -> dict[str, Any] | None:
    leases = client.pages("leases")
    return next((each for each in leases if each["endpoint_name"] == ENDPOINT), None)


def _remove(client: Client) -> None:
    """Remove the lease; an endpoint on its way somewhere is waited for."""
    deadline = time.monotonic() + _READY
    while True:
        try:
            client.delete("leases", ENDPOINT)
        except Refused as error:
            if error.code != "endpoint_busy" or time.monotonic() > deadline:
                raise
            time.sleep(waiting.PERIOD)
        else:
            return


def _token(server: Server, client: Client) -> str:
    """Return the token of the printed lines: it may invoke and pay, and is kept for next time."""
    file = server.paths.state / "demo" / "demo.token"
    if file.is_file():
        secret = file.read_text(encoding="ascii").strip()
        if _accepted(server.url, secret):
            return secret
        file.unlink()
    body = {"name": f"demo-{secrets.token_hex(3)}", "role": Role.OPERATOR}
    made: str = client.post("tokens", body=body)["token"]
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w", encoding="ascii") as out:  # noqa: PTH123  a descriptor, not a path
        out.write(made + "\n")
    return made


def _accepted(url: str, secret: str) -> bool:
    with Client(ClientSettings(url=url, token=secret)) as client:
        try:
            client.get("endpoints", ENDPOINT)
        except Refused as error:
            if error.status != 401:
                raise
            return False
    return True


def card(url: str, token: str) -> str:
    """Return what to try, to be copied as it stands."""
    as_json = "--header 'Content-Type: application/json'"
    auth = f"--header 'Authorization: {token}'"
    data = """--data '{"sentence": "Stock markets fell on Monday."}'"""
    coin = f"""--data '{{"EndpointName": "{ENDPOINT}", "minutes": 10}}'"""
    calls = (
        ("Use the model, by its route", f"{url}{ROUTE}", as_json, data),
        ("or by the endpoint's name", f"{url}/endpoints/{ENDPOINT}/invocations", as_json, data),
        ("How much time is left?", f"'{url}/endpoint-expiry?EndpointName={ENDPOINT}'"),
        ("Add 10 minutes", f"{url}/endpoint-expiry", as_json, coin),
    )
    lines = [f"URL    {url}", f"Token  {token}", "", "Try, in another terminal:"]
    for title, target, *rest in calls:
        lines += ["", f"# {title}", " \\\n  ".join((f"curl {target}", auth, *rest))]
    return "\n".join([*lines, "", f"The API is described at {url}/docs. Ctrl-C stops everything."])


def _accompany(server: Server, client: Client) -> None:
    """Show the meter until somebody ends the demo; on a terminal live, else line by line."""
    never = threading.Event()

    def pause() -> bool:
        server.require_running()
        return never.wait(watch.PERIOD)

    if render.interactive():
        with render.picture(whole_screen=False) as draw:
            watch.follow(client, lambda seen: draw(watch.meters(seen)), quits=pause)
    else:
        lines = _Lines()
        watch.follow(client, lines.show, quits=pause)


class _Lines:
    """Tells the meter to a log: a line when the state changes, and one a minute."""

    def __init__(self) -> None:
        self._last: tuple[str, int] | None = None

    def show(self, seen: watch.Seen) -> None:
        """Print a line unless the last one still says it all."""
        for each in seen.endpoints:
            minutes = math.ceil(each["lease"]["time_left_seconds"] / 60) if each["lease"] else 0
            now = (seen.trouble or each["reason"], minutes)
            if now != self._last:
                self._last = now
                render.line(f"{each['name']}: {now[0]}, {minutes} min left")
