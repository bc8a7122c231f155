"""`python -m bntui`, and the console script `bntui`."""

import gc

GARBAGE_AFTER = 100_000
"""How many more objects there must be before Python looks for garbage; its own number is 700.

Hardly anything made while modules load is garbage, and looking for it took a tenth of the time to
the first picture.
"""


def main() -> None:
    """Run the command line."""
    gc.set_threshold(GARBAGE_AFTER)
    from bntui.cli import cli
    from bntui.crash import told_in_one_line

    with told_in_one_line():
        cli(prog_name="bntui")


if __name__ == "__main__":
    main()
