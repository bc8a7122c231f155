"""Commands of a user who may only read."""

import subprocess
import sys

import pytest

from tests.children import environment

COMMAND = "import sys\nfrom bntui.__main__ import main\nsys.argv[0] = 'bntui'\nmain()\n"


def nobody(
    *arguments: str, code: str = COMMAND, **changes: str
) -> "subprocess.CompletedProcess[str]":
    """Run a command, or code, as a user who may read every file and write none of ours."""
    user = ["setpriv", "--reuid=54321", "--regid=54321", "--clear-groups"]
    may = ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
    done = subprocess.run(
        [*user, *may, sys.executable, "-B", "-c", code, *arguments],
        env=environment(**changes), capture_output=True, text=True, timeout=200,
    )  # fmt: skip
    if "setpriv:" in done.stderr:
        pytest.skip("not allowed here")
    return done
