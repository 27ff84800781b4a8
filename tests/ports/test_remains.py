"""The contract of what is left of endpoints: written by the catalog, kept for a while."""

from parkade.domain.endpoint import EndpointStatus
from parkade.domain.terms import Terms
from parkade.ports.remains import remains_of
from tests.builders import NOW, a_recorded_endpoint, an_event, minutes

TAGS = {"auto-maintain": "true"}


def going(name="falcon", **changes):
    return a_recorded_endpoint(
        name, **{"status": EndpointStatus.DELETING, "changed_at": NOW + minutes(9), **changes}
    )


def delete(store, endpoint):
    store.catalog.put_endpoint(endpoint, an_event("endpoint.deleting"))


def test_an_endpoint_leaves_its_deployment_and_tags_when_it_is_told_to_go(store):
    store.catalog.put_tags("endpoint", "falcon", TAGS)
    store.catalog.put_tags("model", "falcon", {"other": "kind"})
    delete(store, going())
    store.catalog.put_tags("endpoint", "falcon", {})
    store.catalog.remove_endpoint("falcon", an_event("endpoint.deleted"))
    found = store.remains.get("falcon")
    assert found == remains_of(going(), TAGS)
    assert (found.removed_at, found.blueprint) == (NOW + minutes(9), going().blueprint)


def test_other_changes_leave_nothing(store):
    for status in set(EndpointStatus) - {EndpointStatus.DELETING}:
        store.catalog.put_endpoint(a_recorded_endpoint(status=status), an_event("endpoint.x"))
    assert store.remains.get("falcon") is None
    assert store.remains.all().records == ()


def test_only_the_last_of_a_name_is_kept(store):
    delete(store, going())
    delete(store, going("ant"))
    later = going(changed_at=NOW + minutes(20), created_at=NOW + minutes(10))
    delete(store, later)
    assert store.remains.all().records == (remains_of(going("ant"), {}), remains_of(later, {}))


def test_what_goes_with_a_lease_is_kept_beside(store):
    delete(store, going())
    terms = Terms(endpoint_name="falcon", maintain=True, version=4)
    store.remains.settle("falcon", terms=terms, tags=TAGS)
    assert (store.remains.get("falcon").terms, store.remains.get("falcon").tags) == (terms, TAGS)
    store.remains.settle("falcon", terms=None, tags={})
    assert (store.remains.get("falcon").terms, store.remains.get("falcon").tags) == (None, TAGS)
    store.remains.settle("nobody", terms=terms, tags=TAGS)
    assert store.remains.get("nobody") is None


def test_what_is_too_old_is_forgotten(store):
    delete(store, going())
    delete(store, going("ant", changed_at=NOW + minutes(10)))
    store.remains.forget(NOW + minutes(10))
    assert [each.endpoint_name for each in store.remains.all().records] == ["ant"]
