"""Login: mechanisms, channel binding, refusals, direct TLS, and two sessions that want the same resource."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import ssl
import unittest
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import mock

from case import PASSWORD, TIMEOUT, Case, Client, Refused
from slixmpp.util.sasl import client as sasl
from slixmpp.util.sasl.mechanisms import SCRAM


class Login(Case):
    async def check(self, client: Client, mechanism: str) -> None:
        await client.login()
        self.assertEqual(client.plugin["feature_mechanisms"].mech.name, mechanism)
        await client.all_came()

    async def test_scram_sha_256(self) -> None:
        await self.check(self.client(self.account(), mechanism="SCRAM-SHA-256"), "SCRAM-SHA-256")

    async def test_scram_sha_1(self) -> None:
        await self.check(self.client(self.account(), mechanism="SCRAM-SHA-1"), "SCRAM-SHA-1")

    async def test_plain(self) -> None:
        await self.check(self.client(self.account(), mechanism="PLAIN"), "PLAIN")

    async def test_scram_plus_with_tls_exporter(self) -> None:
        for mechanism in ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS"]:
            client = self.client(self.account(), mechanism=mechanism)
            with TemporaryDirectory() as directory:
                bind_to_exporter(client, Path(directory, "keys"))
                await self.check(client, mechanism)

    async def test_scram_plus_with_tls_server_end_point(self) -> None:
        for mechanism in ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS"]:
            client = self.client(self.account(), mechanism=mechanism)
            with mock.patch.dict(sasl.MECHANISMS, {mechanism: EndPointScram}):
                bind_to(client, lambda tls: hashlib.sha256(tls.getpeercert(binary_form=True)).digest())
                await self.check(client, mechanism)

    async def test_scram_plus_from_another_connection_is_refused(self) -> None:
        client = self.client(self.account(), mechanism="SCRAM-SHA-256-PLUS")
        bind_to(client, lambda _: bytes(32))
        with self.assertRaisesRegex(Refused, "not-authorized"):
            await client.login()

    async def test_tls_1_2_whose_binding_is_not_offered_goes_on_without(self) -> None:
        client = self.client(self.account())
        client.ssl_context.maximum_version = ssl.TLSVersion.TLSv1_2
        with self.assertRaises(Refused):  # of tls-unique; the library then tries the next mechanism
            await client.login()
        async with asyncio.timeout(TIMEOUT):
            await client.wait_until("session_start")
        self.assertEqual(client.socket.version(), "TLSv1.2")
        self.assertEqual(client.plugin["feature_mechanisms"].mech.name, "SCRAM-SHA-256")

    async def test_direct_tls(self) -> None:
        client = self.client(self.account(), direct_tls=True)
        client.ssl_context.set_alpn_protocols(["xmpp-client"])
        await self.check(client, "SCRAM-SHA-256")

    async def test_password_beyond_ascii_is_prepared(self) -> None:
        name = self.account("pa\u00dfwort \u2168")
        await self.login(name, "pa\u00dfwort \u2168", mechanism="SCRAM-SHA-256")
        await self.login(name, "pa\u00dfwort IX", mechanism="PLAIN")

    async def test_name_is_prepared(self) -> None:
        name = self.account()
        client = await self.login(name.upper(), mechanism="SCRAM-SHA-256")
        self.assertEqual(client.boundjid.user, name)

    async def test_resource_is_the_one_asked_for_or_one_made_by_the_server(self) -> None:
        name = self.account()
        self.assertEqual((await self.login(name, resource="balcony")).boundjid.resource, "balcony")
        self.assertGreater(len((await self.login(name)).boundjid.resource), 10)

    async def test_taken_resource_closes_the_older_session(self) -> None:
        name = self.account()
        older = await self.login(name, resource="balcony")
        newer = await self.login(name, resource="balcony")
        self.assertEqual(await older.ending(), "conflict")
        await newer.all_came()


class Refusals(Case):
    """With a server of their own: what they do makes it slow for others."""

    async def refused(self, name: str, password: str, mechanism: str) -> None:
        with self.assertRaisesRegex(Refused, "not-authorized"):
            await self.login(name, password, mechanism=mechanism)

    async def test_wrong_password(self) -> None:
        name = self.account()
        for mechanism in ["SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN"]:
            await self.refused(name, "wrong", mechanism)

    async def test_unknown_account_looks_like_a_wrong_password(self) -> None:
        for mechanism in ["SCRAM-SHA-256", "PLAIN"]:
            await self.refused("nobody", PASSWORD, mechanism)

    async def test_nobody_may_act_as_another(self) -> None:
        name, other = self.account(), self.account()
        client = self.client(name, mechanism="SCRAM-SHA-256")
        client.credentials["authzid"] = f"{other}@localhost"
        with self.assertRaisesRegex(Refused, "invalid-authzid"):
            await client.login()


class EndPointScram(SCRAM):
    """The library says `tls-exporter` whatever it is given."""

    def process_1(self, challenge: bytes) -> bytes:
        super().process_1(challenge)
        self.gs2_header = b"p=tls-server-end-point,,"
        return self.gs2_header + self.client_first_message_bare


def bind_to(client: Client, binding) -> None:
    """Gives the library the channel binding that Python's `ssl` cannot give it under TLS 1.3."""
    mechanisms = client.plugin["feature_mechanisms"]
    library = mechanisms.sasl_callback

    def credentials(required: set[str], optional: set[str]) -> dict:
        found = library(required, optional)
        if "channel_binding" in found and isinstance(client.socket, ssl.SSLObject):
            found["channel_binding"] = binding(client.socket)
        return found

    mechanisms.sasl_callback = credentials


def bind_to_exporter(client: Client, key_log: Path) -> None:
    client.ssl_context.keylog_filename = str(key_log)
    bind_to(client, lambda tls: tls_exporter(tls, key_log))


def tls_exporter(tls: ssl.SSLObject, key_log: Path) -> bytes:
    """RFC 9266, from the secret in the key log: RFC 8446 §7.5."""
    lines = [line.split() for line in key_log.read_text().splitlines()]
    (secret,) = [bytes.fromhex(line[2]) for line in lines if line[:1] == ["EXPORTER_SECRET"]]
    digest = "sha384" if tls.cipher()[0].endswith("SHA384") else "sha256"

    def expand(secret: bytes, label: bytes, context: bytes, length: int) -> bytes:
        label = b"tls13 " + label
        info = length.to_bytes(2, "big") + bytes([len(label)]) + label + bytes([len(context)]) + context
        return hmac.digest(secret, info + b"\x01", digest)[:length]

    empty = hashlib.new(digest).digest()
    derived = expand(secret, b"EXPORTER-Channel-Binding", empty, len(empty))
    return expand(derived, b"exporter", empty, 32)


if __name__ == "__main__":
    unittest.main()
