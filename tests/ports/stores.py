"""The implementations that the contract suites run on."""

from contextlib import contextmanager
from functools import partial
from types import SimpleNamespace

from parkade.adapters.memory.alarms import MemoryAlarmStore
from parkade.adapters.memory.backlog import MemoryBacklogStore
from parkade.adapters.memory.bookings import MemoryBookingStore
from parkade.adapters.memory.budgets import MemoryBudgetStore
from parkade.adapters.memory.catalog import MemoryCatalogStore
from parkade.adapters.memory.deployments import MemoryDeploymentStore
from parkade.adapters.memory.events import MemoryHistory
from parkade.adapters.memory.executions import MemoryExecutionStore
from parkade.adapters.memory.leases import MemoryLeaseBook
from parkade.adapters.memory.letters import MemoryLetterStore
from parkade.adapters.memory.projects import MemoryProjectStore
from parkade.adapters.memory.purses import MemoryPurses
from parkade.adapters.memory.remains import MemoryRemainsStore
from parkade.adapters.memory.routes import MemoryRouteStore
from parkade.adapters.memory.scaling import MemoryScalingStore
from parkade.adapters.memory.subscribers import MemorySubscriberStore
from parkade.adapters.memory.targets import MemoryTargetStore
from parkade.adapters.memory.terms import MemoryTermsStore
from parkade.adapters.memory.testers import MemoryTesterStore
from parkade.adapters.memory.tokens import MemoryTokenStore
from parkade.adapters.memory.watches import MemoryWatchStore
from parkade.adapters.sqlite.alarms import SqliteAlarmStore
from parkade.adapters.sqlite.backlog import SqliteBacklogStore
from parkade.adapters.sqlite.bookings import SqliteBookingStore
from parkade.adapters.sqlite.budgets import SqliteBudgetStore
from parkade.adapters.sqlite.catalog import SqliteCatalogStore
from parkade.adapters.sqlite.database import Database
from parkade.adapters.sqlite.deployments import SqliteDeploymentStore
from parkade.adapters.sqlite.events import SqliteHistory
from parkade.adapters.sqlite.executions import SqliteExecutionStore
from parkade.adapters.sqlite.leases import SqliteLeaseBook
from parkade.adapters.sqlite.letters import SqliteLetterStore
from parkade.adapters.sqlite.projects import SqliteProjectStore
from parkade.adapters.sqlite.remains import SqliteRemainsStore
from parkade.adapters.sqlite.routes import SqliteRouteStore
from parkade.adapters.sqlite.scaling import SqliteScalingStore
from parkade.adapters.sqlite.subscribers import SqliteSubscriberStore
from parkade.adapters.sqlite.targets import SqliteTargetStore
from parkade.adapters.sqlite.terms import SqliteTermsStore
from parkade.adapters.sqlite.testers import SqliteTesterStore
from parkade.adapters.sqlite.tokens import SqliteTokenStore
from parkade.adapters.sqlite.watches import SqliteWatchStore
from parkade.ports.events import EventQuery
from tests.ports.dynamostores import on_dynamodb


@contextmanager
def stores(kind, folder, account=None):
    """All stores of one kind, on one history; those on DynamoDB in new tables of the account.

    `damage` makes a lease unreadable, `damage_record` a record of the catalog.
    """
    if kind != "sqlite":
        yield _in_memory() if kind == "memory" else on_dynamodb(account)
        return
    database = Database(folder / "parkade.db")

    def damage(name):
        with database.writing() as connection:
            connection.execute(
                "UPDATE leases SET expires_at = 'soon' WHERE endpoint_name = ?", (name,)
            )

    def damage_watch(name):
        with database.writing() as connection:
            connection.execute("UPDATE watches SET content = '{}' WHERE endpoint_name = ?", (name,))

    def damage_record(kind, name):
        key = "id" if kind == "instances" else "name"
        statement = f"UPDATE {kind} SET content = '{{}}' WHERE {key} = ?"  # noqa: S608
        with database.writing() as connection:
            assert connection.execute(statement, (name,)).rowcount == 1

    def damage_booking(booking_id):
        statement = "UPDATE bookings SET content = '[]' WHERE id = ?"
        with database.writing() as connection:
            assert connection.execute(statement, (booking_id,)).rowcount == 1

    def damage_deployment(deployment_id):
        statement = "UPDATE deployments SET content = '{' WHERE id = ?"
        with database.writing() as connection:
            assert connection.execute(statement, (deployment_id,)).rowcount == 1

    def damage_alarm(name):
        statement = "UPDATE alarms SET content = '{' WHERE name = ?"
        with database.writing() as connection:
            assert connection.execute(statement, (name,)).rowcount == 1

    def damage_terms(name):
        statement = "UPDATE terms SET content = '{' WHERE endpoint_name = ?"
        with database.writing() as connection:
            assert connection.execute(statement, (name,)).rowcount == 1

    try:
        yield SimpleNamespace(
            database=database,
            history=SqliteHistory(database),
            book=SqliteLeaseBook(database),
            tokens=SqliteTokenStore(database),
            routes=SqliteRouteStore(database),
            executions=SqliteExecutionStore(database),
            backlog=SqliteBacklogStore(database),
            alarms=SqliteAlarmStore(database),
            damage_alarm=damage_alarm,
            deployments=SqliteDeploymentStore(database),
            damage_deployment=damage_deployment,
            projects=SqliteProjectStore(database),
            damage_project=partial(_damage_project, database),
            scaling=SqliteScalingStore(database),
            damage_scaling=partial(_damage_scaling, database),
            testers=SqliteTesterStore(database),
            damage_tester=partial(_damage_tester, database),
            targets=SqliteTargetStore(database),
            subscribers=SqliteSubscriberStore(database),
            letters=SqliteLetterStore(database),
            terms=SqliteTermsStore(database),
            bookings=SqliteBookingStore(database),
            budgets=SqliteBudgetStore(database),
            catalog=SqliteCatalogStore(database),
            remains=SqliteRemainsStore(database),
            watches=SqliteWatchStore(database),
            damage_watch=damage_watch,
            damage=damage,
            damage_record=damage_record,
            damage_terms=damage_terms,
            damage_booking=damage_booking,
        )
    finally:
        database.close()


def _in_memory():
    history = MemoryHistory()
    purses = MemoryPurses()
    book = MemoryLeaseBook(history, purses)
    remains = MemoryRemainsStore()
    watches = MemoryWatchStore(history)
    catalog = MemoryCatalogStore(history, remains)
    terms = MemoryTermsStore(history, book)
    alarms = MemoryAlarmStore(history)
    deployments = MemoryDeploymentStore(history)
    bookings = MemoryBookingStore(history, purses)
    scaling = MemoryScalingStore(history)
    testers = MemoryTesterStore(history)
    projects = MemoryProjectStore(history)
    return SimpleNamespace(
        history=history,
        book=book,
        tokens=MemoryTokenStore(history),
        routes=MemoryRouteStore(history),
        executions=MemoryExecutionStore(),
        backlog=MemoryBacklogStore(),
        alarms=alarms,
        damage_alarm=lambda name: alarms.damage(name, "it is torn"),
        deployments=deployments,
        damage_deployment=lambda which: deployments.damage(which, "it is torn"),
        projects=projects,
        damage_project=lambda _, name: projects.damage(name, "it is torn"),
        scaling=scaling,
        damage_scaling=lambda kind, key: getattr(scaling, kind).damage(key, "it is torn"),
        testers=testers,
        damage_tester=lambda name: testers.damage(name, "it is torn"),
        targets=MemoryTargetStore(history),
        subscribers=MemorySubscriberStore(history),
        letters=MemoryLetterStore(history),
        terms=terms,
        bookings=bookings,
        budgets=MemoryBudgetStore(history, purses),
        catalog=catalog,
        remains=remains,
        watches=watches,
        damage_watch=lambda name: watches.damage(name, "it is torn"),
        damage=lambda name: book.damage(name, "it is torn"),
        damage_record=lambda kind, name: catalog.damage(kind, name, "it is torn"),
        damage_booking=lambda booking_id: bookings.damage(booking_id, "it is torn"),
        damage_terms=lambda name: terms.damage(name, "it is torn"),
    )


def _damage_tester(database, name):
    statement = "UPDATE testers SET content = '{' WHERE name = ?"
    with database.writing() as connection:
        assert connection.execute(statement, (name,)).rowcount == 1


def _damage_scaling(database, kind, key):
    tables = {"targets": "scalable_targets", "policies": "scaling_policies"}
    statement = f"UPDATE {tables.get(kind, 'scheduled_actions')} SET content = '{{' WHERE key = ?"  # noqa: S608
    with database.writing() as connection:
        assert connection.execute(statement, (key,)).rowcount == 1


def kinds_of(history):
    """The kinds of all events, in order."""
    return [event.kind for event in history.read(EventQuery(limit=10_000))]


def _damage_project(database, table, name):
    key = "prefix" if table == "projects" else "id"
    statement = f"UPDATE {table} SET content = '{{' WHERE {key} = ?"  # noqa: S608
    with database.writing() as connection:
        assert connection.execute(statement, (name,)).rowcount == 1
