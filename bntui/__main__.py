"""`python -m bntui`, and the console script `bntui`."""

import signal
import sys

from bntui.cli.watch import NAME, launched


def main() -> None:
    """Run the command line."""
    if sys.argv[1:2] == [NAME] and launched(sys.argv[2:]):
        return  # before all that is for bntui's own commands, and not for a script of the user's
    from bntui.cli import output
    from bntui.cli.crash import bugs_in_one_line
    from bntui.cli.main import cli
    from bntui.machine import environment

    # ctrl+c ends as a kill does, also where nobody takes what is written: an exception would wait for
    # that at the end of the program. Who has something to save asks for it: `signals.asked_to_end`.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    environment.settle()
    output.prepare()
    with bugs_in_one_line():
        cli(prog_name="bntui")


if __name__ == "__main__":
    main()
