"""Who may ask a program to end, in a process of its own."""

from tests.children import python

SENT = """
import json, os, signal
from bntui.machine.signals import asked_to_end

others = "KILL STOP TSTP TTIN TTOU CONT CHLD URG WINCH INFO SEGV BUS FPE ILL EMT PIPE XFSZ".split()
sent = signal.valid_signals() - {getattr(signal, f"SIG{name}", None) for name in others}
for number in sent:  # a shell has its jobs in the background ignore some of them
    signal.signal(number, signal.SIG_DFL)
signal.signal(signal.SIGUSR2, signal.SIG_IGN)
asked = []
with asked_to_end(asked.append):
    for number in sorted(sent):
        os.kill(os.getpid(), number)
sent.remove(signal.SIGUSR2)
assert asked == [128 + number for number in sorted(sent)], asked
assert {signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGUSR1} <= sent
print(signal.getsignal(signal.SIGTERM).name)
"""


def test_every_signal_that_would_end_the_program_asks_for_the_end() -> None:
    ended = python(SENT)
    assert (ended.stdout, ended.stderr) == ("SIG_DFL\n", "")
