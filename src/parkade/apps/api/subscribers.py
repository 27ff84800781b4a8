"""Subscribers: `/v1/subscribers`."""

import asyncio

from fastapi import Response

from parkade.apps.api.auth import Admin
from parkade.apps.api.errors import respelt
from parkade.apps.api.paging import After, Limit, page
from parkade.apps.api.route import Served, router
from parkade.apps.api.schemas.subscribers import (
    AddedSubscriberView,
    RemovedView,
    SubscriberForm,
    SubscriberList,
    SubscriberView,
)

routes = router("Subscribers", "/v1/subscribers")


@routes.get("")
async def list_subscribers(
    services: Served, _caller: Admin, limit: Limit = 100, after: After = ""
) -> SubscriberList:
    """List subscribers in the order of names, those of server.yaml included; never their secrets."""
    subscribers = services.outbox.subscribers
    deliveries = subscribers.deliveries()
    found, following = page(subscribers.all(), lambda each: each.name, limit=limit, after=after)
    views = [
        SubscriberView.of(each, deliveries.get(each.name), fixed=subscribers.is_fixed(each.name))
        for each in found
    ]
    return SubscriberList(
        subscribers=views, next=following, unreadable=dict(subscribers.unreadable())
    )


@routes.post("", status_code=201)
async def add_subscriber(
    services: Served, caller: Admin, form: SubscriberForm, response: Response
) -> AddedSubscriberView:
    """Add a subscriber; it hears of what happens from now on, or from `since` on.

    The answer shows the secret that was made for a webhook, this once.
    """
    with respelt({"channel": "kind"}):
        added = services.outbox.subscribers.add(
            form.subscriber(), actor=caller.name, since=form.since
        )
    services.changed()
    response.headers["Cache-Control"] = "no-store"
    delivery = services.outbox.subscribers.deliveries().get(added.name)
    return AddedSubscriberView.with_secret(added, delivery, "" if form.secret else added.secret)


@routes.get("/{name}")
async def get_subscriber(services: Served, _caller: Admin, name: str) -> SubscriberView:
    """Describe a subscriber, and how its delivery stands."""
    return _view(services, name)


@routes.delete("/{name}")
async def remove_subscriber(services: Served, caller: Admin, name: str) -> RemovedView:
    """Remove a subscriber, with the letters to it."""
    lost = services.outbox.subscribers.remove(name, actor=caller.name)
    services.changed()
    return RemovedView(name=name, letters=lost)


@routes.post("/{name}/enable")
async def enable_subscriber(services: Served, caller: Admin, name: str) -> SubscriberView:
    """Go on delivering, with what happened while it was disabled."""
    services.outbox.subscribers.enable(name, actor=caller.name)
    services.changed()
    return _view(services, name)


@routes.post("/{name}/disable")
async def disable_subscriber(services: Served, caller: Admin, name: str) -> SubscriberView:
    """Deliver nothing for the time being; what happens meanwhile waits."""
    services.outbox.subscribers.disable(name, actor=caller.name)
    services.changed()
    return _view(services, name)


@routes.post("/{name}/test")
async def test_subscriber(services: Served, caller: Admin, name: str) -> SubscriberView:
    """Deliver an event of kind `subscriber.tested` now, whatever its filters are.

    502 where it was not taken, with the reason. The event is in no history.
    """
    subscriber = services.outbox.subscribers.get(name)
    await asyncio.to_thread(services.outbox.outbox.test, subscriber, caller.name)
    return _view(services, name)


def _view(services: Served, name: str) -> SubscriberView:
    subscribers = services.outbox.subscribers
    subscriber = subscribers.get(name)
    delivery = subscribers.deliveries().get(name)
    return SubscriberView.of(subscriber, delivery, fixed=subscribers.is_fixed(name))
