"""How scaling is shown: made of the API's answers, pure, and as narrow as the terminal is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.text import Text

from parkade.apps.cli import views

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import RenderableType

#: What a target counts, by the metric's name.
_EACH = {
    "invocations": "invocations a minute",
    "concurrency": "requests at a time",
    "backlog": "waiting requests",
}
_STATES = {"OK": "green", "ALARM": "red"}
_STATUSES = {"Successful": "green", "Failed": "red", "InProgress": "yellow"}
#: The name of a policy's own alarm.
_ALARM = re.compile(r"TargetTracking-\S+-Alarm(High|Low)-[0-9a-f-]{36}")
_SUSPENDED = {
    "scale_in": "scaling in",
    "scale_out": "scaling out",
    "scheduled": "scheduled actions",
}


def scaling(view: dict[str, Any]) -> RenderableType:
    """Tell how each variant or component of an endpoint is scaled, and what was done."""
    parts: list[RenderableType] = [Text(view["endpoint_name"], style="bold")]
    for each in view["capacities"]:
        parts += [Text(), Text(_noun(each), style="bold"), _capacity(each)]
    if view["activities"]:
        parts += [Text(), _activities(view["activities"])]
    return Group(*parts)


def _noun(capacity: dict[str, Any]) -> str:
    if capacity["component_name"]:
        return f"inference component {capacity['component_name']}"
    return f"variant {capacity['variant_name']}"


def _capacity(capacity: dict[str, Any]) -> RenderableType:
    facts = views.fact_table()
    facts.add_row("now", _count(capacity))
    if capacity["why"]:
        facts.add_row("", Text(capacity["why"], style="dim"))
    if not capacity["scaled"]:
        facts.add_row("scaled", "no")
        return facts
    facts.add_row("scaled", f"between {capacity['min']} and {capacity['max']}")
    if words := suspended(capacity):
        facts.add_row("suspended", Text(words, style="yellow"))
    for policy in capacity["policies"]:
        facts.add_row("policy", Text.assemble((policy["name"], "bold"), f": {rule(policy)}"))
        facts.add_row("", _alarms(policy))
    if not capacity["policies"]:
        facts.add_row("policy", Text("none: only its bounds are kept", style="dim"))
    for action in capacity["scheduled"]:
        facts.add_row("scheduled", scheduled(action))
    if capacity["decision"]:
        decision = capacity["decision"]
        facts.add_row("decided", f"{views.instant(decision['at'])}: {decided(decision)}")
        facts.add_row("may change", next_change(capacity))
    return facts


def _count(capacity: dict[str, Any]) -> Text:
    current, desired = capacity["current"], capacity["desired"]
    if current is None:
        return Text("not there", style="dim")
    if current == desired:
        return Text(str(current))
    return Text(f"{current}, on the way to {desired}", style="yellow")


def suspended(capacity: dict[str, Any]) -> str:
    """Say what of it is suspended; empty: nothing."""
    return ", ".join(
        words for name, words in _SUSPENDED.items() if (capacity["suspended"] or {}).get(name)
    )


def rule(policy: dict[str, Any]) -> str:
    """Say what a policy goes by."""
    if policy["kind"] == "step":
        steps = "; ".join(_step(each, policy["adjustment"]) for each in policy["steps"])
        return f"steps by the alarms that name it: {steps}"
    of = _EACH.get(policy["metric"], policy["metric"])
    waits = (
        f"waits {policy['scale_out_cooldown_seconds']} s after more, "
        f"{policy['scale_in_cooldown_seconds']} s after fewer"
    )
    fewer = "" if policy["scale_in"] else "; never fewer"
    return f"{policy['target']:g} {of} for each; {waits}{fewer}"


def _step(step: dict[str, Any], adjustment: str) -> str:
    change = {
        "ChangeInCapacity": f"{step['adjustment']:+d}",
        "PercentChangeInCapacity": f"{step['adjustment']:+d} %",
        "ExactCapacity": f"to {step['adjustment']}",
    }[adjustment]
    lower = "" if step["lower"] is None else f" from {step['lower']:g}"
    upper = "" if step["upper"] is None else f" to {step['upper']:g}"
    return f"{change}{lower}{upper}"


def _alarms(policy: dict[str, Any]) -> Text:
    if not policy["alarms"]:
        return Text("no alarm names it, so that it does nothing", style="yellow")
    told = Text()
    for number, each in enumerate(policy["alarms"]):
        told.append(", " if number else "alarms: ", style="dim")
        told.append(_short(each["name"]), style="dim")
        told.append(f" {each['state']}", style=_STATES.get(each["state"], "dim"))
    return told


def _short(name: str) -> str:
    """Name a policy's own alarm by its side; others in full."""
    own = _ALARM.fullmatch(name)
    return own[1].lower() if own else name


def scheduled(action: dict[str, Any]) -> str:
    """Say what a scheduled action does, and when next."""
    bounds = " and ".join(
        f"{name} {action[name]}" for name in ("min", "max") if action[name] is not None
    )
    zone = f" {action['timezone']}" if action["timezone"] else ""
    following = f"next {views.instant(action['next_at'])}" if action["next_at"] else "over"
    return f"{action['name']}: {action['schedule']}{zone} sets {bounds}; {following}"


def decided(decision: dict[str, Any]) -> str:
    """Say what was decided, and why."""
    before, wanted = decision["before"], decision["wanted"]
    what = f"stays at {before}" if before == wanted else f"from {before} to {wanted}"
    return f"{what}: {decision['reason']}"


def next_change(capacity: dict[str, Any]) -> str:
    """Say when the number may be another one at the earliest."""
    at = capacity["decision"]["next_at"] if capacity["decision"] else None
    return f"from {views.instant(at)} on" if at else "at the next look, within a minute"


def _activities(activities: Sequence[dict[str, Any]]) -> RenderableType:
    rows = (
        (
            views.instant(each["at"]),
            each["component_name"] or each["variant_name"],
            _change(each),
            Text(each["status"], style=_STATUSES.get(each["status"], "dim")),
            _why(each),
        )
        for each in activities
    )
    return views.listing(("When", "What", "Change", "Outcome", "Why"), rows)


def _change(activity: dict[str, Any]) -> str:
    before, wanted = activity["before"], activity["wanted"]
    return f"stays at {before}" if before == wanted else f"{before} to {wanted}"


def _why(activity: dict[str, Any]) -> str:
    cause = _ALARM.sub(r"Alarm\1", activity["cause"])
    if activity["status"] in _STATUSES.keys() - {"Failed"} or not activity["message"]:
        return cause
    return (
        f"{cause}: {activity['message']}"
        if activity["status"] == "Failed"
        else str(activity["message"])
    )


def facts(endpoint: dict[str, Any]) -> Iterable[tuple[str, str]]:
    """Tell of an endpoint how many there are of what, and how that is decided, a line for each."""
    scaled = {
        (each["variant_name"], each["component_name"]): each
        for each in endpoint.get("scaling") or ()
    }
    for each in endpoint.get("capacities") or ():
        told = scaled.get((each["variant_name"], each["component_name"]))
        yield ("copies" if each["component_name"] else "instances", _told(each, told))
        if told and told["decision"]:
            yield ("", f"{decided(told['decision'])}; may change {next_change(told)}")


def _told(count: dict[str, Any], scaled: dict[str, Any] | None) -> str:
    current, desired = count["current"], count["desired"]
    name = count["component_name"] or count["variant_name"]
    now = f"{name}: {current}" if current == desired else f"{name}: {current} of {desired}"
    if scaled is None:
        return now
    by = [rule(each) for each in scaled["policies"]]
    held = suspended(scaled)
    return "; ".join([
        f"{now}, scaled between {scaled['min']} and {scaled['max']}",
        *by,
        *([f"suspended: {held}"] if held else []),
    ])  # fmt: skip
