"""The `parkade` command, and `python -m parkade.apps.cli`."""

from parkade.apps.collecting import uncollected


def main() -> None:
    """Run the command line."""
    with uncollected():
        from parkade.apps.cli.main import app  # noqa: PLC0415  most of a short command's time
    app(prog_name="parkade")


if __name__ == "__main__":
    main()
