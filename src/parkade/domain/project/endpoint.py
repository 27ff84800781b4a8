"""Endpoints of a project: their content read, and what is there told in the same form.

The content is the payload of a deployment, with what is settled about the lease, and whether the
endpoint is brought up at all. What is told leaves out what is no state: strategies, the time that
creating it buys, how long is waited for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from parkade.domain.catalog import EndpointConfig  # noqa: TC001
from parkade.domain.deploy import capturing, naming, payload, queueing, variants
from parkade.domain.errors import InvalidInput
from parkade.domain.price import Machine
from parkade.domain.project import terms as settling
from parkade.domain.terms import Terms

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from parkade.domain.catalog import Variant
    from parkade.domain.deploy.order import Order, VariantScaling
    from parkade.domain.event import Json
    from parkade.domain.idle import IdleRules
    from parkade.domain.project.part import Part

#: What a content may leave unsaid, so that it stays as it is.
_UNSAID = (variants.SHADOW, capturing.KEY, queueing.KEY, *settling.KEYS)
_DEPLOY, _SCALING, _TAGS, _METERED, _OWNER = "deploy", "scaling", "tags", "metered", "owner"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """An endpoint as a project wants it."""

    order: Order
    #: False: it is made ready, and whether it runs is the meter's affair.
    deploy: bool
    #: What is settled about its lease, as the content has it.
    terms: Mapping[str, Json]
    #: Tags that the former content gave it, and this one does not.
    untagged: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """An endpoint as it is: what runs of it, or would at its next start."""

    #: None: there is a lease, and the config that it names is gone.
    config: EndpointConfig | None
    #: Whether there is an endpoint, or a lease that starts one; else it is made ready alone.
    deployed: bool
    #: None: it has no lease.
    owner: str | None
    #: Variants that are scaled, by name.
    scaling: Mapping[str, VariantScaling] = field(default_factory=dict)
    #: Variants with bounds and no policy of a deployment, by name.
    bounded: frozenset[str] = frozenset()
    tags: Mapping[str, str] = field(default_factory=dict)
    terms: Terms


def read(part: Part, former: Mapping[str, Json] | None = None) -> Wanted:
    """Return what a part wants. Raises InvalidInput.

    What its former content said, and this one says no more, is to be none; what neither says is
    left as it is.
    """
    content = _withdrawing(part.content, former or {})
    deploy = content.get(_DEPLOY, True)
    if not isinstance(deploy, bool):
        raise InvalidInput(f"deploy {str(deploy)[:80]!r} is not true or false", field=_DEPLOY)
    lifted = {_DEPLOY, *settling.KEYS}
    order = payload.read({name: each for name, each in content.items() if name not in lifted})
    if order.endpoint_name != part.name:
        raise InvalidInput(
            f"endpointName {order.endpoint_name!r} is not {part.name!r}", field="endpointName"
        )
    settled = {name: content[name] for name in settling.KEYS if name in content}
    for name, each in settled.items():
        if not order.metered and each is not None:
            raise InvalidInput(
                f"{name} is given for an endpoint without a lease",
                field=name,
                hint=f"give it a lease, or leave {name} out",
            )
    untagged = _tags(former or {}).keys() - order.all_tags.keys()
    return Wanted(order=order, deploy=deploy, terms=settled, untagged=frozenset(untagged))


def _withdrawing(content: Mapping[str, Json], former: Mapping[str, Json]) -> Mapping[str, Json]:
    withdrawn = [key for key in _UNSAID if key in former and key not in content]
    return {**content, **dict.fromkeys(withdrawn)}


def _tags(content: Mapping[str, Json]) -> Mapping[str, Json]:
    tags = content.get(_TAGS)
    return tags if isinstance(tags, Mapping) else {}


def tags_of(wanted: Wanted, held: Mapping[str, str]) -> dict[str, str]:
    """Return the tags that it is to have: those of people stay."""
    kept = {name: text for name, text in held.items() if name not in wanted.untagged}
    return {**kept, **wanted.order.all_tags}


def told(stand: Stand) -> dict[str, Json]:
    """Write how an endpoint stands as its content has it."""
    return {
        _DEPLOY: stand.deployed,
        _METERED: stand.owner is not None if stand.deployed else None,
        _OWNER: stand.owner,
        **(_written(stand.config) if stand.config else {}),
        _SCALING: {
            **{name: payload.written_scaling(each) for name, each in stand.scaling.items()},
            **{name: {} for name in stand.bounded},
        },
        _TAGS: dict(stand.tags),
        **settling.told(stand.terms),
    }


def settled(wanted: Wanted, stand: Stand | None, rules: IdleRules) -> dict[str, Json]:
    """Return what will be told of it once it is made as wanted; None: there is nothing yet."""
    order, name = wanted.order, wanted.order.endpoint_name
    deployed = wanted.deploy or (stand is not None and stand.deployed)
    leased = deployed and order.metered
    held = stand.terms if stand else Terms(endpoint_name=name)
    owner = stand.owner if stand else None
    terms = settling.settle(held, wanted.terms, rules)
    return {
        _DEPLOY: deployed,
        _METERED: order.metered if deployed else None,
        _OWNER: (order.owner or owner or None) if leased else None,
        **_written(_content(order, former(stand))),
        _SCALING: _settled_scaling(order, stand) if deployed else {},
        _TAGS: {**tags_of(wanted, stand.tags if stand else {})},
        **settling.told(terms if leased else Terms(endpoint_name=name)),
    }


def same_config(wanted: Wanted, held: EndpointConfig | None) -> bool:
    """Tell whether the config says what is wanted already."""
    return held is not None and _written(held) == _written(_content(wanted.order, held))


def _content(order: Order, held: EndpointConfig | None) -> EndpointConfig:
    """Return what it is to run; variants that are scaled to none at the moment stay so."""
    content = naming.wanted_content(order, held)
    counts = naming.counts_in(held) if held else {}

    def rests(name: str) -> bool:
        bounds = order.scaling.get(name)
        allowed = name not in order.scaling if bounds is None else bounds.least == 0
        return counts.get(name) == 0 and allowed

    kept = tuple(
        replace(each, instance_count=0) if rests(each.name) else each for each in content.variants
    )
    return replace(content, variants=kept)


def former(stand: Stand | None) -> EndpointConfig | None:
    """Return the config whose counts go on; what never ran begins as the file has it."""
    return stand.config if stand is not None and stand.deployed else None


def _settled_scaling(order: Order, stand: Stand | None) -> dict[str, Json]:
    """Return how each variant is scaled, from its next start on where it does not run."""
    held = stand.scaling if stand else {}
    bounded = stand.bounded if stand else frozenset()
    scaled: dict[str, Json] = {}
    for variant in order.variants:
        name = variant.name
        ordered = order.scaling[name] if name in order.scaling else held.get(name)
        if ordered is not None:
            scaled[name] = payload.written_scaling(ordered)
        elif name not in order.scaling and name in bounded:
            scaled[name] = {}
    return scaled


def _written(config: EndpointConfig) -> dict[str, Json]:
    told: dict[str, Json] = {
        variants.PRODUCTION: _listed(config.variants),
        variants.SHADOW: _listed(config.shadows) or None,
        capturing.KEY: capturing.written(config.capture) if config.capture else None,
        queueing.KEY: queueing.written(config.asynchronous) if config.asynchronous else None,
    }
    return told


def _listed(each: Iterable[Variant]) -> list[Json]:
    return [variants.written(variant) for variant in each]


def machines(content: Mapping[str, Json]) -> Iterator[Machine]:
    """Go through what the told content runs on."""
    for key in (variants.PRODUCTION, variants.SHADOW):
        for each in _objects(content.get(key)):
            count = each.get("InitialInstanceCount", 1)
            yield Machine(
                variant_name=str(each.get("VariantName", "")),
                instance_type=str(each.get("InstanceType", "")),
                count=count if isinstance(count, int) else 1,
                serverless="ServerlessConfig" in each,
            )


def most_instances(content: Mapping[str, Json]) -> int:
    """Return how many instances the told content has at most, as far as scaling may take it."""
    scaling = content.get(_SCALING)
    bounds = scaling if isinstance(scaling, Mapping) else {}
    whole = 0
    for machine in machines(content):
        if not machine.serverless:
            given = bounds.get(machine.variant_name)
            most = given.get("autoscalingMaxCapacity") if isinstance(given, Mapping) else None
            whole += most if isinstance(most, int) else machine.count
    return whole


def left_behind(content: Mapping[str, Json]) -> tuple[str, ...]:
    """Return what the endpoint has written that outlives it."""
    said: list[str] = []
    capture, queue = content.get(capturing.KEY), content.get(queueing.KEY)
    if isinstance(capture, Mapping):
        said.append(f"captured data: {capture.get('DestinationS3Uri')}")
    output = queue.get("OutputConfig") if isinstance(queue, Mapping) else None
    if isinstance(output, Mapping):
        said.append(f"asynchronous answers: {output.get('S3OutputPath')}")
        if output.get("S3FailurePath"):
            said.append(f"asynchronous failures: {output.get('S3FailurePath')}")
    return tuple(said)


def _objects(value: Json) -> Iterator[Mapping[str, Json]]:
    for each in value if isinstance(value, Sequence) and not isinstance(value, str) else ():
        if isinstance(each, Mapping):
            yield each
