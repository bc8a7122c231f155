"""`python -m bntui`, and the console script `bntui`."""

from bntui.cli import cli


def main() -> None:
    """Run the command line."""
    cli(prog_name="bntui")


if __name__ == "__main__":
    main()
