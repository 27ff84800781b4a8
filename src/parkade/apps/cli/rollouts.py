"""Commands on the update of an endpoint that is under way, however it was begun."""

from parkade.apps.cli import options, render
from parkade.apps.cli.session import connect


def promote(endpoint: options.Endpoint, *, as_json: options.Json = False) -> None:
    """Take the update of an endpoint to its end now.

    All requests go to the new fleet, whatever its stages still wait for, and its alarms are watched
    no more. A deployment that waits for the update goes on with it.

    [dim]Example:[/dim] parkade promote text
    """
    _steer(endpoint, "promote", "the new fleet takes all requests", as_json=as_json)


def rollback(endpoint: options.Endpoint, *, as_json: options.Json = False) -> None:
    """Call the update of an endpoint off.

    All requests go back to what served before. A deployment that waits for the update fails.

    [dim]Example:[/dim] parkade rollback text
    """
    _steer(endpoint, "rollback", "it goes back to what served before", as_json=as_json)


def _steer(endpoint: str, verb: str, told: str, *, as_json: bool) -> None:
    with connect() as client:
        view = client.post("endpoints", endpoint, "rollout", verb)
    if as_json:
        render.machine(view)
    else:
        render.say(f"{endpoint}: {told}; look on: parkade show {endpoint}")
