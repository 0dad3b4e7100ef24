#!/usr/bin/env python3
"""Starts a server with the given command, makes an account, and logs a client in.

    login.py COMMAND...         such as: login.py qemu-aarch64-static target/static/stube-aarch64
"""

import asyncio
import pathlib
import re
import ssl
import subprocess
import sys
import tempfile

import slixmpp

PATIENCE = 60  # seconds for each step; an emulated server is slow


class Client(slixmpp.ClientXMPP):
    def __init__(self):
        super().__init__("juliet@example.org", "pencil")
        self.ssl_context.check_hostname = False
        self.ssl_context.verify_mode = ssl.CERT_NONE
        self.outcome = asyncio.get_running_loop().create_future()
        self.add_event_handler("session_start", lambda _: self.end(True))
        self.add_event_handler("failed_all_auth", lambda _: self.end(False))

    def end(self, logged_in):
        if not self.outcome.done():
            self.outcome.set_result(logged_in)


async def login(port):
    client = Client()
    client.connect("127.0.0.1", port)
    logged_in = await asyncio.wait_for(client.outcome, PATIENCE)
    client.disconnect()
    await asyncio.wait_for(client.disconnected, PATIENCE)
    return logged_in


async def listening(server):
    """The port for STARTTLS, once the server is ready."""
    port = None
    async with asyncio.timeout(PATIENCE):
        async for line in server.stderr:
            line = line.decode()
            port = re.search(r"\(STARTTLS\) on .*:(\d+)$", line.strip()) or port
            if "is ready" in line:
                return int(port[1])
    raise SystemExit("the server ended")


async def main(command):
    with tempfile.TemporaryDirectory() as directory:
        file = pathlib.Path(directory, "stube.toml")
        file.write_text('domain = "example.org"\ndata = "data"\nlisten.c2s = ["127.0.0.1:0"]\nlisten.c2s_tls = []\n')
        pathlib.Path(directory, "data").mkdir(mode=0o700)
        config = ["--config", str(file)]
        subprocess.run([*command, "user", "add", "juliet", *config], input=b"pencil\n", check=True, timeout=PATIENCE)
        server = await asyncio.create_subprocess_exec(*command, "run", *config, stderr=subprocess.PIPE)
        try:
            logged_in = await login(await listening(server))
            server.terminate()
            code = await asyncio.wait_for(server.wait(), PATIENCE)
        finally:
            if server.returncode is None:
                server.kill()
        if not logged_in or code != 0:
            raise SystemExit(f"logged in: {logged_in}, exit code: {code}")


asyncio.run(main(sys.argv[1:]))
