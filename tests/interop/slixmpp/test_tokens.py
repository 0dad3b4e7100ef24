"""Tokens in place of the password (XEP-0484), and the operator's commands about them."""

from __future__ import annotations

import unittest

from case import DOMAIN, PASSWORD, Case
from wire import Refused, Stream

PHONE = "7d4b1f5e-3a52-4a53-9f0e-2f6a8f6f1c11"
LAPTOP = "c2a6f7de-9e0b-4a2b-8c34-5b1f0a7d9e22"


class Tokens(Case):
    async def stream(self) -> Stream:
        stream = await Stream.open(self.server)
        self.addAsyncCleanup(stream.drop)
        return stream

    async def with_token(self, name: str, agent: str, token: str) -> Stream:
        stream = await self.stream()
        await stream.login_at_once(name, agent, token=token)
        return stream

    async def assert_refused(self, name: str, agent: str, token: str) -> None:
        with self.assertRaisesRegex(Refused, "not-authorized"):
            await self.with_token(name, agent, token)

    def clients(self, name: str) -> list[str]:
        return self.server.command("user", "clients", f"{name}@{DOMAIN}").splitlines()

    async def test_operator_sees_and_revokes_them(self) -> None:
        name = self.account()
        token = await (await self.stream()).login_at_once(name, PHONE, password=PASSWORD)
        other = await (await self.stream()).login_at_once(name, LAPTOP, password=PASSWORD)
        phone = await self.with_token(name, PHONE, token)
        await phone.ping()
        lines = self.clients(name)
        self.assertEqual([line.split()[1].rstrip(",") for line in lines], ["wire.py", "wire.py"])

        said = self.server.command("user", "revoke", f"{name}@{DOMAIN}", lines[0].split()[0])
        self.assertIn("has no client", said)
        await self.assert_refused(name, PHONE, token)
        await self.with_token(name, LAPTOP, other)
        self.server.command("user", "revoke", f"{name}@{DOMAIN}")
        await self.assert_refused(name, LAPTOP, other)
        self.assertEqual(self.clients(name), [])

    async def test_they_end_with_a_new_password(self) -> None:
        name = self.account()
        token = await (await self.stream()).login_at_once(name, PHONE, password=PASSWORD)
        self.server.command("user", "passwd", f"{name}@{DOMAIN}", stdin="a new one\n")
        await self.assert_refused(name, PHONE, token)


if __name__ == "__main__":
    unittest.main()
