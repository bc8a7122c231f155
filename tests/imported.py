"""Which modules a command has loaded."""

import json

from tests.children import python


def loaded_after(*statements: str) -> set[str]:
    """Return what a fresh process has loaded after some statements."""
    code = "\n".join(
        ["import json, sys", *statements, "print(json.dumps([name for name in sys.modules]))"]
    )
    run = python(code)
    assert run.returncode == 0, run.stderr
    return set(json.loads(run.stdout.splitlines()[-1]))
