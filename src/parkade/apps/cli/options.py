"""Options that several commands share, and how texts on the command line become values."""

import math
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from parkade.domain import names
from parkade.domain.errors import InvalidInput

_UNITS = {"d": timedelta(days=1), "h": timedelta(hours=1), "m": timedelta(minutes=1)}
#: What one `--variant` may say, and what it means to say nothing.
_VARIANT_KEYS = ("name", "model", "weight", "instances", "type")
DEFAULT_VARIANT = "AllTraffic"
DEFAULT_TYPE = "ml.c5.xlarge"


def flag(*spellings: str, help: str) -> Any:  # noqa: A002  Typer's own word
    """Return an option that is there or not; what type that has nobody needs to be told."""
    return typer.Option(*spellings, metavar="", help=help)


def endpoint_name(text: str) -> str:
    """Return the name of an endpoint. Raises InvalidInput for what cannot be one."""
    return _endpoint(text)


def _endpoint(text: str) -> str:
    return names.endpoint_name(text, field="ENDPOINT")


def _config(text: str) -> str:
    return names.endpoint_name(text, field="NAME")


def _model(text: str) -> str:
    return names.model_name(text, field="NAME")


# What cannot be a name is refused here: in a path it might lead elsewhere.
Endpoint = Annotated[
    str, typer.Argument(metavar="ENDPOINT", help="Name of the endpoint.", callback=_endpoint)
]
Config = Annotated[
    str, typer.Argument(metavar="NAME", help="Name of the endpoint config.", callback=_config)
]
Model = Annotated[str, typer.Argument(metavar="NAME", help="Name of the model.", callback=_model)]
Json = Annotated[bool, flag("--json", help="Print the API's JSON instead of a table.")]
Wait = Annotated[
    bool, flag("--wait", help="Wait until it answers; exit 1 with the reason if it fails.")
]
Minutes = Annotated[
    float | None,
    typer.Option(
        "--minutes", "-m", metavar="N", help="Minutes to pay; else initial_provision_minutes (30)."
    ),
]
State = Annotated[
    Path | None,
    typer.Option(
        "--state",
        metavar="DIR",
        help="State folder; else PARKADE_STATE, else the user data folder.",
        show_default=False,
    ),
]


def minutes(number: float | None) -> float | None:
    """Return a number of minutes that JSON can say; whether it will do is the server's to tell."""
    if number is not None and not math.isfinite(number):
        raise InvalidInput(
            f"minutes {number} is not a number",
            field="minutes",
            hint="give minutes as a number > 0",
        )
    return number


def lifetime(text: str) -> timedelta:
    """Read a duration such as `30d`, `12h` or `90m`. Raises InvalidInput."""
    number, unit = text[:-1], text[-1:]
    if unit in _UNITS and number.isdecimal() and 0 < int(number) <= 36500:
        return int(number) * _UNITS[unit]
    raise InvalidInput(
        f"--expires {text!r} is not a duration", field="expires", hint="write 30d, 12h or 90m"
    )


def variant(text: str) -> dict[str, object]:
    """Read `name=..,model=..,weight=..,instances=..,type=..` as the API's variant.

    Raises InvalidInput that names what is unknown, doubled, missing or no number.
    """
    given: dict[str, str] = {}
    for item in text.split(","):
        key, equals, value = (part.strip() for part in item.partition("="))
        if key not in _VARIANT_KEYS:
            raise _unusable(
                f"unknown key {key!r}",
                names.suggestion(key, _VARIANT_KEYS) or "known are " + ", ".join(_VARIANT_KEYS),
            )
        if not equals or not value:
            raise _unusable(f"{key} has no value", f"write {key}=...")
        if key in given:
            raise _unusable(f"{key} is given twice", "give it once")
        given[key] = value
    if "model" not in given:
        raise _unusable("model is missing", "add model=NAME; see: parkade model ls")
    return {
        "name": given.get("name", DEFAULT_VARIANT),
        "model_name": given["model"],
        "instance_type": given.get("type", DEFAULT_TYPE),
        "instance_count": int(_number("instances", given.get("instances", "1"), int)),
        "weight": _number("weight", given.get("weight", "1"), float),
    }


def tags(entries: list[str]) -> dict[str, str]:
    """Read `KEY=VALUE` entries. Raises InvalidInput for one without `=`."""
    pairs = [entry.partition("=") for entry in entries]
    wrong = [key for key, equals, _ in pairs if not equals or not key]
    if wrong:
        raise InvalidInput(f"tag {wrong[0]!r} has no '='", field="tag", hint="write KEY=VALUE")
    return {key: value for key, _, value in pairs}


def environment(entries: list[str]) -> dict[str, str]:
    """Read `K=V` entries. Raises InvalidInput for one without `=`."""
    pairs = [entry.partition("=") for entry in entries]
    wrong = [key for key, equals, _ in pairs if not equals or not key]
    if wrong:
        raise InvalidInput(f"--env {wrong[0]!r} has no '='", field="env", hint="write K=V")
    return {key: value for key, _, value in pairs}


def _number(key: str, text: str, kind: type[int] | type[float]) -> float:
    try:
        number = kind(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        wanted = "a whole number" if kind is int else "a number"
        raise _unusable(f"{key} {text!r} is not {wanted}", f"write {key}=1")
    return number


def _unusable(what: str, hint: str) -> InvalidInput:
    return InvalidInput(f"--variant: {what}", field="variant", hint=hint)


def given(**values: object) -> dict[str, Any]:
    """Return the values that were given."""
    return {name: value for name, value in values.items() if value is not None}
