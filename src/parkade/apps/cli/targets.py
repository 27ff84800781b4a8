"""The command on the models of a multi-model endpoint: models."""

from datetime import datetime
from typing import Annotated, Any

import typer

from parkade.apps.cli import options, render, views
from parkade.apps.cli.client import Client
from parkade.apps.cli.session import connect
from parkade.domain.errors import InvalidInput
from parkade.domain.targets import target_model

_PAGE = 1000

_Targets = list[str] | None


def _option(name: str, help: str, metavar: str = "MODEL") -> Any:  # noqa: A002  Typer's own word
    return typer.Option(name, metavar=metavar, help=f"{help}; repeatable.", show_default=False)


def models(
    endpoint: options.Endpoint,
    preload: Annotated[
        _Targets, _option("--preload", "Load a model before it is asked for")
    ] = None,
    pin: Annotated[_Targets, _option("--pin", "Keep a model loaded")] = None,
    unpin: Annotated[_Targets, _option("--unpin", "Let a model be unloaded again")] = None,
    ttl: Annotated[
        _Targets,
        _option("--ttl", "Unload a model that was idle so long; `none` ends that", "MODEL=MINUTES"),
    ] = None,
    *,
    as_json: options.Json = False,
) -> None:
    """Show the models of a multi-model endpoint: where they are loaded, how they are used.

    MODEL is what requests name as TargetModel. Pins and times to live outlast the endpoint.

    [dim]Examples:[/dim]
    parkade models many
    parkade models many --pin a.tar.gz --ttl b/c.tar.gz=15
    """
    forms = [(target_model(each), {"pinned": True}) for each in pin or []]
    forms += [(target_model(each), {"pinned": False}) for each in unpin or []]
    forms += [_time_to_live(each) for each in ttl or []]
    with connect() as client:
        for target, form in forms:
            client.put("endpoints", endpoint, "models", *target.split("/"), body=form)
        for each in preload or []:
            target = target_model(each)
            client.post("endpoints", endpoint, "models", *target.split("/"), "preload")
        found = _all(client, endpoint)
    if as_json:
        render.machine(found)
    elif found["models"]:
        render.show(views.listing(_COLUMNS, map(_row, found["models"])))
        render.note("; ".join(map(_instance, found["instances"])))
    else:
        render.note(f"No model of {endpoint} is loaded: the first request for one loads it")


def _all(client: Client, endpoint: str) -> Any:
    found: list[Any] = []
    after = ""
    while True:
        page = client.get("endpoints", endpoint, "models", after=after, limit=_PAGE)
        found += page["models"]
        after = page["next"] or ""
        if not after:
            return {"models": found, "instances": page["instances"]}


def _time_to_live(text: str) -> tuple[str, dict[str, Any]]:
    target, equals, minutes = text.rpartition("=")
    try:
        number = None if minutes == "none" else float(minutes)
    except ValueError:
        equals = ""
    if not equals:
        raise InvalidInput(
            f"--ttl {text!r} is not MODEL=MINUTES",
            field="ttl",
            hint="write --ttl a.tar.gz=15, or --ttl a.tar.gz=none",
        )
    return target_model(target), {"ttl_minutes": options.minutes(number)}


_COLUMNS = ("Model", "Loaded in", "Memory", "Last used", "Requests", "Hits", "Stays")


def _row(model: dict[str, Any]) -> tuple[str, ...]:
    loaded, metrics = model["loaded"], model["metrics"]
    sizes = [each["memory_bytes"] for each in loaded if each["memory_bytes"] is not None]
    used = [datetime.fromisoformat(each["last_used_at"]) for each in loaded]
    ratio = metrics["hit_ratio"]
    return (
        model["target"],
        " ".join(each["instance_id"] for each in loaded) or "-",
        views.size(sum(sizes)) if sizes else "-",
        views.instant(max(used).isoformat()) if used else "-",
        str(metrics["invocations"]),
        "-" if ratio is None else f"{ratio:.0%}",
        _stays(model),
    )


def _stays(model: dict[str, Any]) -> str:
    words = ["pinned"] if model["pinned"] else []
    if model["ttl_minutes"] is not None:
        words.append(f"{model['ttl_minutes']:g} min idle")
    return ", ".join(words) or "-"


def _instance(instance: dict[str, Any]) -> str:
    size = views.size(instance["memory_bytes"])
    return f"{instance['id']}: {instance['loaded_model_count']} models, {size}"
