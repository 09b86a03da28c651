"""An OpenSSH server of a test's own on loopback: it knows one key, listens at a free port, and ends with the test."""

import getpass
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from commands.places import binary
from tests.commands.instances import free_port, until

CONFIG = """
ListenAddress 127.0.0.1
Port {port}
HostKey {folder}/host
PidFile none
AuthorizedKeysFile {folder}/key.pub
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
PermitRootLogin prohibit-password
StrictModes no
PermitUserEnvironment no
Subsystem sftp internal-sftp
"""


@dataclass(frozen=True, slots=True)
class Door:
    """`known_hosts` has the server's key; `key` opens it."""

    address: str
    known_hosts: Path
    key: Path
    pid: int

    def slam(self) -> None:
        """End every connection as a cable does that is pulled out; the server stays."""
        for child in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split():
            os.kill(int(child), signal.SIGKILL)


@contextmanager
def sshd(folder: Path) -> Iterator[Door]:
    """Run it in the foreground until the block ends."""
    program, keygen = binary("sshd"), shutil.which("ssh-keygen")
    assert program, "OpenSSH's server is not installed: apt-get install openssh-server"
    assert keygen
    port = free_port()
    for name in ("host", "key"):
        subprocess.run([keygen, "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True, timeout=60)
    (folder / "config").write_text(CONFIG.format(port=port, folder=folder))
    known = folder / "known_hosts"
    known.write_text(f"[127.0.0.1]:{port} {(folder / 'host.pub').read_text()}")
    Path("/run/sshd").mkdir(exist_ok=True)  # where a child without rights lives; made at boot where sshd is a service
    with (folder / "sshd.log").open("wb") as log:
        process = subprocess.Popen([program, "-D", "-e", "-f", folder / "config"], stdout=log, stderr=log)
    try:
        until(lambda: b"Server listening" in (folder / "sshd.log").read_bytes(), 30)
        yield Door(f"{getpass.getuser()}@127.0.0.1:{port}", known, folder / "key", process.pid)
    finally:
        process.terminate()
        process.wait(30)
