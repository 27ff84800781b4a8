"""A service of AWS that answers what a test says: for faults that moto does not have."""

from contextlib import contextmanager

from botocore.stub import Stubber


@contextmanager
def stubbed(account, service):
    """Have a service of the account answer by a Stubber; give it, and what it was asked for."""
    client = account.client(service)
    asked = []

    def note(params, **_):
        asked.append(params)

    event = f"provide-client-params.{client.meta.service_model.service_id.hyphenize()}"
    client.meta.events.register(event, note)
    try:
        with Stubber(client) as stub:
            yield stub, asked
    finally:
        client.meta.events.unregister(event, note)
