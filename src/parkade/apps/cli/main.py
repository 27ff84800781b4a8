"""The `parkade` command: one table of all commands, and what becomes of their errors."""

from collections.abc import Callable
from importlib import metadata
from typing import Annotated, Any, cast

import typer
from typer.core import TyperCommand, TyperGroup

from parkade.apps.cli import (
    ab,
    alarms,
    apply,
    audit,
    bookings,
    cloud,
    clouds,
    configs,
    dashboard,
    demo,
    deployments,
    environment,
    history,
    invocations,
    leaseimport,
    leases,
    letters,
    metrics,
    models,
    money,
    objects,
    pipeline,
    projectfiles,
    projects,
    render,
    rollouts,
    routes,
    scaling,
    server,
    simulate,
    sleep,
    subscribers,
    targets,
    terms,
    tester,
    tokenimport,
    tokens,
    upkeep,
    watch,
)
from parkade.apps.cli.replay import command as replays
from parkade.apps.projectfile.problem import BadFile
from parkade.domain.errors import ParkadeError

_EPILOG = """
[bold]First steps, beside[/bold] parkade demo[bold]:[/bold]

  parkade up
  parkade model pack DIR -o m.tar.gz
  parkade model push m.tar.gz s3://models/m.tar.gz
  parkade model create m --image pytorch-inference --data s3://models/m.tar.gz
  parkade config create c --variant model=m
  parkade add text --config c --minutes 30 --wait
  parkade invoke text --json '{"sentence": "hello"}'

[dim]PARKADE_URL and PARKADE_TOKEN name another server, PARKADE_STATE another state folder.[/dim]
"""

_START, _PROJECTS, _MODELS, _METER, _MONEY, _ACCESS, _SEE = _PANELS = (
    "Start here",
    "Projects",
    "Models",
    "Endpoints on the meter",
    "Money",
    "Who may, and by which path",
    "See what is going on",
)


class Commands(TyperGroup):
    """Ends with one line and status 1 where something was refused on purpose."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command; a bug is not caught."""
        try:
            return super().invoke(ctx)
        except BadFile as error:
            render.problems(error.lines)
            raise typer.Exit(1) from error
        except ParkadeError as error:
            render.problem(error)
            raise typer.Exit(1) from error

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the commands panel by panel, groups among the others."""
        commands = cast("dict[str, TyperCommand | TyperGroup]", self.commands)
        names = super().list_commands(ctx)
        return sorted(names, key=lambda name: _PANELS.index(str(commands[name].rich_help_panel)))


def _version(asked: bool) -> None:  # noqa: FBT001  Typer calls it with the flag's value
    if asked:
        render.say(f"parkade {metadata.version('parkade')}")
        raise typer.Exit


def _root(
    *,
    cloud: clouds.CloudOption = clouds.Cloud.EMBEDDED,
    region: clouds.RegionOption = None,
    profile: clouds.ProfileOption = None,
    stacks: clouds.StacksOption = None,
    _: Annotated[
        bool,
        typer.Option(
            "--version", metavar="", callback=_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Model endpoints on a parking meter: they run while their lease lasts."""
    clouds.choose(clouds.Choice(cloud=cloud, region=region, profile=profile, stacks=stacks))


app = typer.Typer(
    cls=Commands,
    callback=_root,
    epilog=_EPILOG,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _offer(panel: str, *commands: Callable[..., None]) -> None:
    for command in commands:
        app.command(rich_help_panel=panel)(command)


_offer(_START, demo.demo, server.up, environment.env, server.reload)
_offer(_START, server.version)
_offer(_PROJECTS, projectfiles.init)
app.command("import", rich_help_panel=_PROJECTS)(projectfiles.import_)
_offer(_PROJECTS, projectfiles.schema)
_offer(_PROJECTS, apply.apply, projects.status, projects.destroy)
_offer(_PROJECTS, dashboard.dashboard)
app.add_typer(projects.app, name="projects", rich_help_panel=_PROJECTS)
app.add_typer(tester.app, name="tester", rich_help_panel=_PROJECTS)
app.add_typer(pipeline.app, name="pipeline", rich_help_panel=_PROJECTS)
app.add_typer(cloud.app, name="cloud", rich_help_panel=_PROJECTS)
_offer(_PROJECTS, replays.replay, ab.ab)
app.add_typer(models.app, name="model", rich_help_panel=_MODELS)
app.add_typer(objects.app, name="objects", rich_help_panel=_MODELS)
app.add_typer(configs.app, name="config", rich_help_panel=_MODELS)
_offer(_METER, leases.add, leases.ls, leases.show, leases.extend, leases.stop, leases.start)
_offer(_METER, leases.remove, invocations.invoke)
app.add_typer(leaseimport.app, name="leases", rich_help_panel=_METER)
_offer(_METER, deployments.deploy)
app.add_typer(deployments.app, name="deployments", rich_help_panel=_METER)
_offer(_METER, rollouts.promote, rollouts.rollback)
_offer(_METER, upkeep.why, upkeep.snooze, upkeep.maintain, upkeep.tag, upkeep.undo)
_offer(_METER, terms.schedule, terms.keep, sleep.sleep, sleep.wake)
app.add_typer(bookings.app, name="book", rich_help_panel=_METER)
app.add_typer(scaling.app, name="scale", rich_help_panel=_METER)
_offer(_MONEY, money.cost)
app.add_typer(money.prices_app, name="prices", rich_help_panel=_MONEY)
app.add_typer(money.budget_app, name="budget", rich_help_panel=_MONEY)
_offer(_MONEY, simulate.simulate)
app.add_typer(tokens.app, name="token", rich_help_panel=_ACCESS)
tokens.app.command("import")(tokenimport.take)
app.add_typer(routes.app, name="route", rich_help_panel=_ACCESS)
_offer(_SEE, targets.models)
_offer(_SEE, metrics.metrics, alarms.alarms)
app.add_typer(subscribers.app, name="subscriber", rich_help_panel=_SEE)
app.add_typer(letters.app, name="letters", rich_help_panel=_SEE)
_offer(_SEE, audit.audit)
_offer(_SEE, watch.watch, invocations.logs, history.events, history.plan)
