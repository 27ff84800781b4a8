"""The management API of an AWS account, run in the process of one command.

What is decided is decided here, with the credentials of whoever calls; what is kept is kept in the
tables of the Meter's stack, where there is one. A deployment that this process carries out goes on
until it is over, or until Ctrl-C: it is resumed by `parkade deployments resume`.
"""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING

from parkade.adapters.aws.account import Account
from parkade.adapters.aws.sagemaker.passage import Passage
from parkade.apps import settings
from parkade.apps.cli import render
from parkade.apps.cli.client import Client
from parkade.apps.cli.inside import Inside, Loop
from parkade.apps.cloud import deployed, invoking
from parkade.apps.cloud.app import create_app
from parkade.apps.cloud.means import Means
from parkade.apps.cloud.wiring import build
from parkade.apps.settings import ClientSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from parkade.apps.assembly import Shared
    from parkade.apps.cli.clouds import Choice
    from parkade.services.tokens import Tokens

#: What requests are told to go to; nothing listens there, and nothing is sent.
_NOWHERE = "http://parkade.invalid"
#: Seconds between two looks at what is waited for. Endpoints take minutes.
_LOOK_AGAIN = 5.0


@contextmanager
def client(choice: Choice) -> Iterator[Client]:
    """Give a client of the account that a command line means."""
    loop = Loop()
    try:
        account = _account(choice)
        services = loop.call(lambda: _services(account, choice, loop))
        loop.begin(_look_again(services))
        app = create_app(services)
        invoking.offer(app, services, Passage(account, seconds=invoking.PATIENCE))
        here = ClientSettings(url=_NOWHERE, token="")
        with Client(here, transport=Inside(app, loop)) as found:
            yield found
            _finish(loop)
    finally:
        loop.close()


@contextmanager
def tokens(choice: Choice) -> Iterator[Tokens]:
    """Give the tokens of the account's API."""
    loop = Loop()
    try:
        yield _services(_account(choice), choice, loop).tokens
    finally:
        loop.close()


def _account(choice: Choice) -> Account:
    return Account(region=choice.region, profile=choice.profile)


def _services(account: Account, choice: Choice, loop: Loop) -> Shared:
    there = deployed.find(account, choice.stacks)
    paths = settings.state_paths()
    return build(Means.of_account(account, there, paths=paths, spawn=loop.spawn))


async def _look_again(services: Shared) -> None:
    """Have deployments look at their endpoints: nobody tells this process when one has changed."""
    while True:
        await asyncio.sleep(_LOOK_AGAIN)
        services.deploying.deployer.nudge()


def _finish(loop: Loop) -> None:
    """Wait for what the command began and did not wait for."""
    if loop.busy:
        render.note(
            "What was begun goes on in this process; Ctrl-C leaves it as it is, to be resumed"
        )
        loop.finish()
