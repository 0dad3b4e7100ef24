"""Two people who encrypt to each other with OMEMO, through the server: device lists and bundles on PEP, sessions, and an
archive that can't be read. One is `oldmemo` (what Conversations and Gajim speak), both can do the newer one, too."""

from __future__ import annotations

import asyncio
import logging
import unittest

from case import TIMEOUT, Case, Client
from omemo.storage import Just, Maybe, Nothing, Storage
from omemo.types import DeviceInformation, JSONType
from slixmpp.plugins import register_plugin
from slixmpp.xmlstream.stanzabase import StanzaBase
from slixmpp_omemo import XEP_0384, TrustLevel

# That its own device is new is what each of these tests begins with.
logging.getLogger("omemo").setLevel(logging.ERROR)

OLDMEMO = "eu.siacs.conversations.axolotl"
TWOMEMO = "urn:xmpp:omemo:2"


class Memory(Storage):
    """Keys as long as the test lasts."""

    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, JSONType] = {}

    async def _load(self, key: str) -> Maybe[JSONType]:
        return Just(self.values[key]) if key in self.values else Nothing()

    async def _store(self, key: str, value: JSONType) -> None:
        self.values[key] = value

    async def _delete(self, key: str) -> None:
        self.values.pop(key, None)


class Omemo(XEP_0384):
    name = "xep_0384"
    default_config = {"fallback_message": "This is encrypted."}

    def plugin_init(self) -> None:
        self.memory = Memory()
        super().plugin_init()

    @property
    def storage(self) -> Storage:
        return self.memory

    @property
    def _btbv_enabled(self) -> bool:
        return True

    async def _devices_blindly_trusted(self, devices: frozenset[DeviceInformation], identifier: str | None) -> None:
        """Who is new is believed."""

    async def _prompt_manual_trust(self, devices: frozenset[DeviceInformation], identifier: str | None) -> None:
        manager = await self.get_session_manager()
        for device in devices:
            await manager.set_trust(device.bare_jid, device.identity_key, TrustLevel.TRUSTED.value)


register_plugin(Omemo)


class Person(Client):
    def __init__(self, *arguments, **options) -> None:
        super().__init__(*arguments, **options)
        for plugin in ["xep_0004", "xep_0060", "xep_0115", "xep_0163", "xep_0280", "xep_0313", "xep_0334", "xep_0380"]:
            self.register_plugin(plugin)
        self.register_plugin("xep_0384", module=Omemo)
        self.add_event_handler("omemo_initialized", lambda _: self.ready.set_result(None))
        self.ready: asyncio.Future = asyncio.get_running_loop().create_future()

    async def online(self, priority: int = 0) -> Client:
        await super().online(priority)
        async with asyncio.timeout(TIMEOUT):
            await self.ready
        return self

    async def say(self, other: Client, body: str) -> set[str]:
        """Encrypts to all devices of the other; gives the versions that were needed."""
        message = self.make_message(mto=other.boundjid.bare, mtype="chat", mbody=body)
        encrypted, errors = await self["xep_0384"].encrypt_message(message, {other.boundjid})
        assert not errors and encrypted, errors
        encrypted.send()
        return set(self["xep_0384"].is_encrypted(encrypted))

    async def hears(self) -> tuple[str, StanzaBase]:
        def is_encrypted(stanza: StanzaBase) -> bool:
            return stanza.name == "message" and bool(self["xep_0384"].is_encrypted(stanza))

        while True:
            stanza = await self.receive(is_encrypted)
            message, _ = await self["xep_0384"].decrypt_message(stanza)
            # Without text it has completed a session.
            if message["body"]:
                return message["body"], stanza


class Encrypted(Case):
    async def person(self, name: str | None = None, resource: str = "") -> Person:
        person = Person(self.server, name or self.account(), resource=resource)
        self.addAsyncCleanup(person.leave)
        return await person.online()

    async def test_two_people_read_each_other_and_nobody_else_can(self) -> None:
        romeo, juliet = await self.person(), await self.person()
        for number in range(5):
            text = f"Thou know'st the mask of night is on my face {number}"
            used = await romeo.say(juliet, text)
            self.assertTrue(used <= {OLDMEMO, TWOMEMO} and used, used)
            heard, stanza = await juliet.hears()
            self.assertEqual(heard, text)
            self.assertNotIn("mask of night", str(stanza))
            await juliet.say(romeo, f"answer {number}")
            self.assertEqual((await romeo.hears())[0], f"answer {number}")

    async def test_second_device_reads_along(self) -> None:
        romeo, juliet = await self.person(), await self.person()
        phone = await self.person(juliet.boundjid.user, "phone")
        await juliet.all_came()
        await romeo.say(juliet, "to both")
        self.assertEqual((await juliet.hears())[0], "to both")
        self.assertEqual((await phone.hears())[0], "to both")

    async def test_what_waited_can_be_read(self) -> None:
        romeo, juliet = await self.person(), await self.person()
        name, keys = juliet.boundjid.user, juliet["xep_0384"].memory
        await juliet.disconnect()
        await romeo.say(juliet, "good night")
        await romeo.all_came()
        again = Person(self.server, name)
        again["xep_0384"].memory = keys
        self.addAsyncCleanup(again.leave)
        await again.online()
        self.assertEqual((await again.hears())[0], "good night")


if __name__ == "__main__":
    unittest.main()
