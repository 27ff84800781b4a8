"""Commands on endpoint configs: create, ls, show, rm."""

from typing import Annotated

import typer

from parkade.apps.cli import options, render, views
from parkade.apps.cli.session import connect

app = typer.Typer(no_args_is_help=True, help="Say which models an endpoint runs, and how many.")


@app.command()
def create(
    name: options.Config,
    variant: Annotated[
        list[str],
        typer.Option(
            "--variant",
            metavar="KEY=VALUE,...",
            help="model=NAME, and where you want others than these: "
            f"name={options.DEFAULT_VARIANT}, weight=1, instances=1, type={options.DEFAULT_TYPE} "
            "(embedded, the type is a name only). Repeatable, up to 10.",
        ),
    ],
) -> None:
    """Make an endpoint config of one or more variants.

    [dim]Example:[/dim] parkade config create ab --variant name=a,model=old,weight=9 --variant name=b,model=new
    """
    body = {"name": name, "variants": [options.variant(each) for each in variant]}
    with connect() as client:
        config = client.post("configs", body=body)
    render.say(f"{config['name']}: created")


@app.command()
def ls(*, as_json: options.Json = False) -> None:
    """List the endpoint configs.

    [dim]Example:[/dim] parkade config ls
    """
    with connect() as client:
        configs = client.pages("configs")
    if as_json:
        render.machine(configs)
    elif configs:
        rows = (
            (each["name"], ", ".join(_summary(one) for one in each["variants"])) for each in configs
        )
        render.show(views.listing(("Config", "Variants"), rows))
    else:
        render.note("No endpoint configs; begin with: parkade config create NAME --variant model=M")


@app.command()
def show(name: options.Config, *, as_json: options.Json = False) -> None:
    """Show one endpoint config with its variants.

    [dim]Example:[/dim] parkade config show ab
    """
    with connect() as client:
        config = client.get("configs", name)
    if as_json:
        render.machine(config)
    else:
        render.show(views.config(config))


@app.command()
def rm(name: options.Config) -> None:
    """Remove an endpoint config that no endpoint uses.

    [dim]Example:[/dim] parkade config rm ab
    """
    with connect() as client:
        client.delete("configs", name)
    render.say(f"{name}: removed")


def _summary(variant: dict[str, object]) -> str:
    return f"{variant['name']} ({variant['instance_count']} x {variant['model_name']})"
