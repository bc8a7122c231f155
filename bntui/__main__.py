"""`python -m bntui`, and the console script `bntui`."""

from bntui.cli import cli
from bntui.crash import told_in_one_line


def main() -> None:
    """Run the command line."""
    with told_in_one_line():
        cli(prog_name="bntui")


if __name__ == "__main__":
    main()
