"""A server of its own for a test: an empty database, free ports of this machine, and always an end.

The binary is `target/debug/stube`, or what the environment's BINARY names. As a program, this file runs a command
beside such a server, whose ports and certificate the command finds in its environment:

    python3 stube.py romeo:his-password juliet:her-password -- COMMAND
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("BINARY", ROOT / "target/debug/stube")).absolute()
DOMAIN = "localhost"

# Seconds for what takes a fraction of one where nothing else runs.
PATIENCE = 20


class Server:
    """Runs within a `with`; can be killed and started again there, with the same database."""

    def __init__(self, keys: str = "", tables: str = ""):
        """With lines of configuration that stand before all tables, and with tables."""
        self.directory = tempfile.TemporaryDirectory(prefix="stube-")
        self.data = Path(self.directory.name) / "data"
        self.configuration = Path(self.directory.name) / "stube.toml"
        self.log_file = Path(self.directory.name) / "log"
        self.certificate = self.data / "self-signed.pem"
        self.process: subprocess.Popen | None = None
        self.port = self.tls_port = 0
        self.configuration.write_text(f"""
domain = "{DOMAIN}"
data = "{self.data}"
{keys}
[listen]
c2s = ["127.0.0.1:0"]
c2s_tls = ["127.0.0.1:0"]
[accounts]
scram_iterations = 4096
{tables}
""")

    def __enter__(self) -> Server:
        try:
            self.start()
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise
        return self

    def __exit__(self, kind, *_) -> None:
        try:
            if self.process:
                self.stop()
        except Exception:
            kind = kind or Exception
            raise
        finally:
            if kind:
                print(f"--- the server's log\n{self.log()}---", file=sys.stderr)
            self.directory.cleanup()

    def start(self) -> None:
        with self.log_file.open("w") as log:
            command = [BINARY, "--config", self.configuration, "run"]
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        deadline = time.monotonic() + PATIENCE
        while " is ready" not in self.log():
            if self.process.poll() is not None:
                raise AssertionError(f"the server ended with {self.process.returncode} instead of starting")
            if time.monotonic() > deadline:
                raise AssertionError("the server does not get ready")
            time.sleep(0.01)
        self.port = self._port_of("STARTTLS")
        self.tls_port = self._port_of("direct TLS")

    def _port_of(self, kind: str) -> int:
        found = re.search(rf"listening for clients \({kind}\) on 127\.0\.0\.1:(\d+)", self.log())
        assert found, f"the log names no port for {kind}"
        return int(found[1])

    def stop(self) -> None:
        """As systemd does. A server that dawdles, or that had something to complain of, fails the test."""
        process, self.process = self.process, None
        process.terminate()
        try:
            code = process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError("the server does not stop") from None
        assert code == 0, f"the server ended with {code}"
        complaints = [line for line in self.log().splitlines() if " ERROR " in line or "panicked" in line]
        assert not complaints, f"the server complained: {complaints}"

    def kill(self) -> None:
        """As a power cut does."""
        process, self.process = self.process, None
        assert process.poll() is None, f"the server had ended with {process.returncode} by itself"
        process.kill()
        process.wait()

    def log(self) -> str:
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def command(self, *arguments: str, stdin: str = "") -> str:
        """`stube …` on the command line; gives what it prints."""
        done = subprocess.run(
            [BINARY, "--config", self.configuration, *arguments],
            input=stdin, capture_output=True, text=True, timeout=PATIENCE,
        )
        assert done.returncode == 0, f"stube {' '.join(arguments)}: {done.stderr}"
        return done.stdout

    def add_user(self, name: str, password: str) -> None:
        self.command("user", "add", f"{name}@{DOMAIN}", stdin=f"{password}\n")


# An end of the test is an end of its server.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))


def main() -> int:
    end_of_accounts = sys.argv.index("--")
    with Server() as server:
        for account in sys.argv[1:end_of_accounts]:
            server.add_user(*account.split(":", 1))
        environment = {
            "STUBE_PORT": str(server.port),
            "STUBE_TLS_PORT": str(server.tls_port),
            "STUBE_CERTIFICATE": str(server.certificate),
        }
        subprocess.run(sys.argv[end_of_accounts + 1 :], env=os.environ | environment, timeout=60, check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
