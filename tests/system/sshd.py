"""A real `sshd` on the loopback, for the user who runs the tests, with a key made for the test."""

import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

CONFIG = """
ListenAddress 127.0.0.1:{port}
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/user_key.pub
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin yes
PermitUserEnvironment no
AcceptEnv *
"""
PATIENCE = 20.0


def needed(*programs: str) -> None:
    """Skip the test where one of the programs is missing."""
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"])
    for program in programs:
        if shutil.which(program, path=path) is None:
            pytest.skip(f"needs {program}, which is not installed here")


@contextmanager
def served(folder: Path) -> Iterator[list[str]]:
    """Run the server until the `with` block ends: the ssh command that logs in, without a remote one."""
    needed("sshd", "ssh", "ssh-keygen")
    for name in ("host_key", "user_key"):
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True
        )
    port = _free_port()
    config = folder / "sshd_config"
    config.write_text(CONFIG.format(port=port, folder=folder))
    if os.geteuid() == 0:  # where root's sshd parts from its privileges; Debian's service makes it
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    program = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:" + os.environ["PATH"])
    assert program is not None
    log = folder / "sshd.log"
    server = subprocess.Popen([program, "-D", "-f", str(config), "-E", str(log)])
    try:
        _listening(port, server, log)
        yield [
            *("ssh", "-F", "none", "-p", str(port), "-i", str(folder / "user_key")),
            *("-o", "StrictHostKeyChecking=no", "-o", f"UserKnownHostsFile={folder}/known"),
            *("-o", "LogLevel=ERROR", "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes"),
            *("-tt", f"{getpass.getuser()}@127.0.0.1"),
        ]
    finally:
        server.terminate()
        server.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _listening(port: int, server: "subprocess.Popen[bytes]", log: Path) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if server.poll() is not None:
            break
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1.0):
            return
        time.sleep(0.02)
    raise RuntimeError(f"sshd does not listen:\n{log.read_text() if log.exists() else ''}")
