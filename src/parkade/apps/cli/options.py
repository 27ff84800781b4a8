"""Options that several commands share, and how texts on the command line become values."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from parkade.domain.errors import InvalidInput
from parkade.domain.names import suggestion

_UNITS = {"d": timedelta(days=1), "h": timedelta(hours=1), "m": timedelta(minutes=1)}
#: What one `--variant` may say, and what it means to say nothing.
_VARIANT_KEYS = ("name", "model", "weight", "instances", "type")
DEFAULT_VARIANT = "AllTraffic"
DEFAULT_TYPE = "ml.c5.xlarge"

Endpoint = Annotated[str, typer.Argument(metavar="ENDPOINT", help="Name of the endpoint.")]
Json = Annotated[bool, typer.Option("--json", help="Print the API's JSON instead of a table.")]
Wait = Annotated[
    bool, typer.Option("--wait", help="Wait until it answers; exit 1 with the reason if it fails.")
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
                suggestion(key, _VARIANT_KEYS) or "known are " + ", ".join(_VARIANT_KEYS),
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


def environment(entries: list[str]) -> dict[str, str]:
    """Read `K=V` entries. Raises InvalidInput for one without `=`."""
    pairs = [entry.partition("=") for entry in entries]
    wrong = [key for key, equals, _ in pairs if not equals or not key]
    if wrong:
        raise InvalidInput(f"--env {wrong[0]!r} has no '='", field="env", hint="write K=V")
    return {key: value for key, _, value in pairs}


def _number(key: str, text: str, kind: type[int] | type[float]) -> float:
    try:
        return kind(text)
    except ValueError as error:
        wanted = "a whole number" if kind is int else "a number"
        raise _unusable(f"{key} {text!r} is not {wanted}", f"write {key}=1") from error


def _unusable(what: str, hint: str) -> InvalidInput:
    return InvalidInput(f"--variant: {what}", field="variant", hint=hint)


def given(**values: object) -> dict[str, Any]:
    """Return the values that were given."""
    return {name: value for name, value in values.items() if value is not None}
