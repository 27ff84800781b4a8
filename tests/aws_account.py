"""An AWS account for tests: moto's server, one for each process of tests.

A test takes names of its own (`unique`), so that nothing has to be reset between tests, and gets an
account at the server from `an_account(aws_config)`. Other processes are led there by
`AWS_CONFIG_FILE`.
"""

import itertools
import os
import threading
from contextlib import contextmanager

import botocore.session
import pytest

from parkade.adapters.aws.account import Account
from parkade.adapters.aws.dynamodb.shape import MAIN, TOKENS
from parkade.adapters.aws.dynamodb.table import Table

REGION = "eu-west-1"
_numbers = itertools.count(1)


class _OneAtATime:
    """DynamoDB's requests one after the other.

    moto copies a table before a transaction and puts the copy back where it fails, and with that
    undoes what others have written meanwhile. Other services are left alone: some of them call
    the server again before they answer.
    """

    def __init__(self, app):
        self._app = app
        self._lock = threading.Lock()

    def __call__(self, environ, start_response):
        if "DynamoDB" in environ.get("HTTP_X_AMZ_TARGET", ""):
            with self._lock:
                return self._app(environ, start_response)
        return self._app(environ, start_response)


@contextmanager
def moto():
    """Run moto's server on a free port of the loopback; give its address."""
    # Only processes with tests on AWS are to pay for these.
    from moto.moto_server.werkzeug_app import (
        DomainDispatcherApplication,
        MotoRequestHandler,
        create_backend_app,
    )
    from werkzeug.serving import make_server

    class Quiet(MotoRequestHandler):
        def log_request(self, *_):
            """Say nothing of each request: what failed is to be found."""

    app = _OneAtATime(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="session")
def moto_server():
    """The address of the server."""
    with moto() as url:
        yield url


@pytest.fixture(scope="session")
def aws_config(moto_server, tmp_path_factory):
    """An AWS configuration file that leads every client to the server."""
    file = tmp_path_factory.mktemp("aws") / "config"
    write_config(file, moto_server)
    return file


@pytest.fixture(scope="session")
def aws(aws_config):
    """One account for all tests of the process; its clients are made once."""
    return an_account(aws_config)


def write_config(file, url, **settings):
    """Write a configuration file with credentials that lead every client to an address."""
    settings = {
        "region": REGION,
        "aws_access_key_id": "AKIAIOSFODNN7EXAMPLE",
        "aws_secret_access_key": "secret",
        "endpoint_url": url,
        **settings,
    }
    lines = ["[default]", *(f"{key} = {value}" for key, value in settings.items())]
    file.write_text("\n".join(lines) + "\n")


def an_account(config, **changes):
    """An account as this configuration file has it, whatever the machine's own says."""
    session = botocore.session.Session()
    session.set_config_variable("config_file", str(config))
    session.set_config_variable("credentials_file", os.devnull)
    return Account(session=session, **changes)


def unique(what="it"):
    """A name that no other test of this process has."""
    return f"{what}-{next(_numbers)}"


def a_table(account, shape=MAIN, name=None):
    """A new table of this shape."""
    name = name or unique("table")
    client = account.client("dynamodb")
    client.create_table(TableName=name, **shape.description())
    return Table(account, name, shape)


def tables(account):
    """A new main table, and one for tokens."""
    return a_table(account), a_table(account, TOKENS, unique("tokens"))
