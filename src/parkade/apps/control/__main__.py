"""`python -m parkade.apps.control`."""

from parkade.apps.collecting import uncollected


def main() -> None:
    """Run the control process."""
    with uncollected():
        from parkade.apps.control.main import main as run  # noqa: PLC0415  most of a start
    run()


if __name__ == "__main__":
    main()
