"""Builders with defaults: a test names only what it is about.

All instants are offsets of `NOW`; `minutes(5)` and `seconds(5)` are durations.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from parkade.domain.alarm import Alarm, Comparison, Rule, first_standing
from parkade.domain.blueprint import Blueprint, Component
from parkade.domain.catalog import Container, EndpointConfig, Model, Variant
from parkade.domain.endpoint import ComponentStatus, EndpointStatus, ObservedEndpoint
from parkade.domain.event import Event
from parkade.domain.idle import IdleRules, Reading, Use
from parkade.domain.ladder import Watch
from parkade.domain.lease import Lease, LeaseRules
from parkade.domain.metricquery import Measured, Query
from parkade.domain.rollout import Kind, Size, Strategy
from parkade.domain.series import SAGEMAKER, Series
from parkade.domain.stages import Rollout
from parkade.domain.subscriber import Channel, Filter, Letter, Subscriber
from parkade.domain.tester import tester
from parkade.domain.token import Role, Token
from parkade.domain.watching import Opting, Watched
from parkade.ports.backlog import AsyncRequest
from parkade.ports.catalog import RecordedComponent, RecordedEndpoint, RecordedInstance
from parkade.ports.executions import Execution, ExecutionStatus
from parkade.ports.leases import Coin
from parkade.ports.routes import Route

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def minutes(amount):
    return timedelta(minutes=amount)


def seconds(amount):
    return timedelta(seconds=amount)


def some_rules(**changes):
    defaults = {
        "max_ahead": timedelta(days=7),
        "initial": minutes(30),
        "warnings": (minutes(10), minutes(2)),
    }
    return LeaseRules(**{**defaults, **changes})


def a_lease(**changes):
    """A lease of 30 minutes, just made; `version=0` as before it is stored."""
    defaults = {
        "endpoint_name": "falcon",
        "config_name": "falcon-config",
        "owner": "ann",
        "created_at": NOW,
        "expires_at": NOW + minutes(30),
    }
    return Lease(**{**defaults, **changes})


def an_endpoint(status=EndpointStatus.IN_SERVICE, **changes):
    """An endpoint as hosting sees it, in service on one healthy instance."""
    healthy = status is EndpointStatus.IN_SERVICE
    defaults = {
        "name": "falcon",
        "config_name": "falcon-config",
        "created_at": NOW,
        "changed_at": NOW,
        "healthy": int(healthy),
        "wanted": 1,
    }
    return ObservedEndpoint(status=EndpointStatus(status), **{**defaults, **changes})


def a_rollout(strategy=None, **changes):
    """An update in stages that has begun: a canary of a tenth, of one instance."""
    strategy = strategy or Strategy(kind=Kind.CANARY, step=Size(percent=10), wait=seconds(300))
    return replace(Rollout.begun(strategy, NOW, [1], [1]), **changes)


def some_opting(**changes):
    """The server's settings of the maintainer: the defaults."""
    defaults = {
        "watched": Watched.TAGGED,
        "tag_key": "auto-maintain",
        "tag_value": "true",
        "rules": IdleRules(),
    }
    return Opting(**{**defaults, **changes})


def invocations(variant="blue", endpoint="falcon"):
    """The series that counts a variant's invocations."""
    return Series.of(SAGEMAKER, "Invocations", EndpointName=endpoint, VariantName=variant)


def a_reading(variant="blue", **changes):
    """A variant without use since long before NOW."""
    defaults = {
        "series": invocations(variant),
        "quiet_since": NOW - timedelta(days=1),
        "newest": NOW,
    }
    return Reading(**{**defaults, **changes})


def some_use(*readings, **changes):
    """An endpoint that nobody uses, on one variant if no others are given."""
    defaults = {"in_flight": 0, "backlog": 0, "readings": readings or (a_reading(),)}
    return Use(**{**defaults, **changes})


def a_watch(**changes):
    """A watch that began when the endpoint came into service, at NOW."""
    defaults = {
        "endpoint_name": "falcon",
        "created_at": NOW,
        "in_service_at": NOW,
        "since": NOW,
        "rules": IdleRules(),
        "by": "tag auto-maintain=true",
    }
    return Watch(**{**defaults, **changes})


def a_container(**changes):
    defaults = {"image": "parkade/script:1", "data_url": "s3://models/falcon.tar.gz"}
    return Container(**{**defaults, **changes})


def a_model(name="falcon-model", *, created_at=NOW, containers=(), direct=False, **changes):
    """A model of these containers, or of one that `changes` describe."""
    return Model(
        name=name,
        containers=containers or (a_container(**changes),),
        created_at=created_at,
        direct=direct,
    )


def a_variant(name="blue", **changes):
    defaults = {"model_name": "falcon-model", "instance_type": "ml.c5.xlarge"}
    return Variant(name=name, **{**defaults, **changes})


def a_config(name="falcon-config", **changes):
    defaults = {"variants": (a_variant(),), "created_at": NOW}
    return EndpointConfig(name=name, **{**defaults, **changes})


def a_blueprint(config=None, models=()):
    """What an endpoint runs: a config with a plain model for each that its variants name."""
    config = config or a_config()
    wanted = dict.fromkeys(each.model_name for each in config.every if each.model_name)
    return Blueprint(config=config, models=tuple(models) or tuple(map(a_model, wanted)))


def a_recorded_endpoint(name="falcon", *, config_name="falcon-config", **changes):
    defaults = {
        "status": EndpointStatus.IN_SERVICE,
        "created_at": NOW,
        "changed_at": NOW,
        "blueprint": a_blueprint(a_config(config_name)),
    }
    return RecordedEndpoint(name=name, **{**defaults, **changes})


def a_component(name="parrot", **changes):
    defaults = {
        "endpoint_name": "falcon",
        "variant_name": "blue",
        "model": a_model(),
        "copies": 1,
        "created_at": NOW,
    }
    return Component(name=name, **{**defaults, **changes})


def a_recorded_component(name="parrot", *, status=ComponentStatus.IN_SERVICE, **changes):
    component = a_component(name, **changes.pop("of", {}))
    return RecordedComponent(
        **{"component": component, "status": status, "changed_at": NOW, **changes}
    )


def a_recorded_instance(instance_id="i-1", **changes):
    defaults = {"endpoint_name": "falcon", "variant_name": "blue", "started_at": NOW}
    return RecordedInstance(id=instance_id, **{**defaults, **changes})


def a_token(name="ann", **changes):
    defaults = {
        "digest": f"digest-of-{name}",
        "role": Role.OPERATOR,
        "endpoints": frozenset(),
        "created_at": NOW,
    }
    return Token(name=name, **{**defaults, **changes})


def a_route(path="/falcon", **changes):
    return Route(path=path, **{"endpoint_name": "falcon", **changes})


def a_coin(key="key-1", **changes):
    defaults = {"scope": "ann", "endpoint_name": "falcon", "request": "extend 10"}
    return Coin(key=key, **{**defaults, **changes})


def an_event(kind="lease.added", **changes):
    defaults = {"at": NOW, "actor": "ann", "reason": "because", "endpoint_name": "falcon"}
    return Event(kind=kind, **{**defaults, **changes})


def a_subscriber(
    name="ops", *, kinds=(), endpoints=(), owners=(), alarms=(), projects=(), **changes
):
    """A webhook that hears of everything."""
    defaults = {"channel": Channel.WEBHOOK, "url": "http://127.0.0.1:9/hook"}
    heard = Filter(
        kinds=tuple(kinds),
        endpoints=tuple(endpoints),
        owners=tuple(owners),
        alarms=tuple(alarms),
        projects=tuple(projects),
    )
    return Subscriber(name=name, filter=heard, **{**defaults, **changes})


def a_letter(subscriber="ops", **changes):
    defaults = {
        "event_number": 1,
        "event_kind": "lease.added",
        "endpoint_name": "falcon",
        "attempts": 12,
        "cause": "the receiver answered 500",
        "buried_at": NOW,
    }
    return Letter(subscriber=subscriber, **{**defaults, **changes})


def an_execution(arn="arn:aws:states:local:000000000000:execution:parkade:1", **changes):
    defaults = {
        "token_name": "ann",
        "endpoint_name": "falcon",
        "body": '{"sentence": "hello"}',
        "status": ExecutionStatus.RUNNING,
        "started_at": NOW,
    }
    return Execution(arn=arn, **{**defaults, **changes})


def an_async_request(request_id="r-1", **changes):
    defaults = {
        "endpoint_name": "falcon",
        "received_at": NOW,
        "expires_at": NOW + minutes(360),
        "timeout": 900,
        "inference_id": request_id,
        "output_location": f"s3://answers/{request_id}.out",
        "failure_location": f"s3://failures/{request_id}.out",
    }
    return AsyncRequest(id=request_id, **{**defaults, **changes})


def an_alarm(name="busy", *, periods=3, datapoints=None, **changes):
    """An alarm on more than 1 of falcon's invocations a minute; changes may be of its rule."""
    of_rule = {key: changes.pop(key) for key in ("missing", "comparison", "threshold",
                                                 "ignore_few_samples") if key in changes}  # fmt: skip
    defaults = {
        "name": name,
        "rule": Rule(
            periods=periods,
            datapoints=datapoints or periods,
            **{"comparison": Comparison.ABOVE, "threshold": 1.0, **of_rule},
        ),
        "queries": (a_query(),),
        "standing": first_standing(NOW),
        "configured_at": NOW,
    }
    return Alarm(**{**defaults, **changes})


def a_query(id="m1", *, endpoint="falcon", variant="blue", **changes):  # noqa: A002  its name
    """A query of an endpoint's invocations."""
    series = Series.of(SAGEMAKER, "Invocations", EndpointName=endpoint, VariantName=variant)
    measured = {"series": series, "period": 60, "statistic": "Sum", "unit": ""}
    of_it = {key: changes.pop(key) for key in tuple(changes) if key in measured}
    return Query(id=id, measured=Measured(**{**measured, **of_it}), **changes)


def a_tester(name="demo-tester", *, content=None, **changes):
    """A tester of falcon with one case; `content` may change it."""
    asked = {
        "endpoint_name": "falcon",
        "cases": [{"id": "a", "input": {"text": "coin"}, "expected": {"text": "coin"}}],
        **(content or {}),
    }
    defaults = {"name": name, "content": asked, "created_at": NOW, "seen_to": NOW}
    return tester.Tester(**{**defaults, **changes})
