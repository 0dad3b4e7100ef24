"""Several devices of one person, and lines that break: stream management, carbons, client state."""

from __future__ import annotations

import asyncio
import unittest

from case import DOMAIN, TIMEOUT, Case, Client
from slixmpp import JID
from slixmpp.xmlstream.stanzabase import StanzaBase


class Phone(Client):
    """A client that can go on where it was."""

    def __init__(self, *arguments, **options) -> None:
        super().__init__(*arguments, **options)
        for plugin in ["xep_0198", "xep_0280", "xep_0352"]:
            self.register_plugin(plugin)
        self.enabled: asyncio.Future = asyncio.get_running_loop().create_future()
        self.resumed: asyncio.Future = asyncio.get_running_loop().create_future()
        self.acked: list[StanzaBase] = []
        self.add_event_handler("sm_enabled", lambda enabled: self.enabled.done() or self.enabled.set_result(enabled))
        self.add_event_handler("session_resumed", lambda resumed: self.resumed.set_result(resumed))
        self.add_event_handler("stanza_acked", self.acked.append)

    async def online(self, priority: int = 0) -> Client:
        await super().online(priority)
        async with asyncio.timeout(TIMEOUT):
            await self.enabled
        return self

    async def lose_line(self) -> None:
        """The socket is gone; neither side has said a word."""
        self.transport.abort()
        async with asyncio.timeout(TIMEOUT):
            await self.ended

    async def come_back(self, port: int) -> None:
        self.connect("127.0.0.1", port)
        async with asyncio.timeout(TIMEOUT):
            await self.resumed


class Devices(Case):
    def phone(self, name: str, resource: str) -> Phone:
        phone = Phone(self.server, name, resource=resource)
        self.addAsyncCleanup(phone.leave)
        return phone

    async def test_line_that_breaks_loses_nothing_and_nobody_notices(self) -> None:
        romeo, juliet = await self.friends()
        phone = await self.phone(romeo.boundjid.user, "phone").online(1)
        await juliet.presence("available", phone.boundjid)
        await romeo.disconnect()
        await juliet.presence("unavailable", romeo.boundjid)
        juliet.send_message(mto=phone.boundjid.bare, mbody="before", mtype="chat")
        await phone.message("before")
        await phone.lose_line()
        bodies = [f"in the tunnel {number}" for number in range(50)]
        for body in bodies:
            juliet.send_message(mto=phone.boundjid.bare, mbody=body, mtype="chat")
        self.assertEqual([stanza for stanza in await juliet.all_came() if stanza.name == "presence"], [])
        # Over the other port, which has TLS from the first byte.
        phone.enable_direct_tls, phone.enable_starttls = True, False
        await phone.come_back(self.server.tls_port)
        for body in bodies:
            await phone.message(body)
        phone.send_message(mto=juliet.boundjid, mbody="after", mtype="chat")
        self.assertEqual((await juliet.message("after"))["from"], phone.boundjid)
        self.assertEqual([stanza for stanza in await phone.all_came() if stanza.name == "message"], [])

    async def test_what_has_arrived_is_acknowledged(self) -> None:
        phone, name = await self.phone(self.account(), "phone").online(), self.account()
        for number in range(10):
            phone.send_message(mto=JID(f"{name}@{DOMAIN}"), mbody=str(number), mtype="chat")
        # The library writes stanzas from a queue, and the request for an acknowledgement at once.
        await phone.all_came()
        phone.plugin["xep_0198"].request_ack()
        async with asyncio.timeout(TIMEOUT):
            while len([stanza for stanza in phone.acked if stanza.name == "message"]) < 10:
                await asyncio.sleep(0.01)

    async def test_other_devices_get_copies(self) -> None:
        romeo, name = await self.online(), self.account()
        phone, laptop = await self.phone(name, "phone").online(), await self.phone(name, "laptop").online()
        await laptop.plugin["xep_0280"].enable()
        romeo.send_message(mto=phone.boundjid, mbody="to the phone", mtype="chat")
        await phone.message("to the phone")
        copy = await laptop.receive(lambda stanza: bool(stanza.get_plugin("carbon_received", check=True)))
        self.assertEqual(copy["carbon_received"]["body"], "to the phone")
        self.assertEqual(copy["carbon_received"]["from"], romeo.boundjid)
        phone.send_message(mto=romeo.boundjid, mbody="from the phone", mtype="chat")
        copy = await laptop.receive(lambda stanza: bool(stanza.get_plugin("carbon_sent", check=True)))
        self.assertEqual(copy["carbon_sent"]["body"], "from the phone")

    async def test_inactive_device_is_left_in_peace_until_somebody_writes(self) -> None:
        romeo, juliet = await self.friends()
        phone = await self.phone(juliet.boundjid.user, "phone").online()
        await phone.presence("available", romeo.boundjid)
        await romeo.presence("available", phone.boundjid)
        phone.plugin["xep_0352"].send_inactive()
        await phone.all_came()
        phone.inbox.clear()
        for show in ["away", "xa", "dnd"]:
            romeo.send_presence(pshow=show)
        await romeo.all_came()
        self.assertEqual(phone.inbox, [])
        romeo.send_message(mto=phone.boundjid.bare, mbody="wake up", mtype="chat")
        await phone.message("wake up")
        self.assertEqual([stanza["show"] for stanza in phone.inbox if stanza.name == "presence"], ["dnd"])


if __name__ == "__main__":
    unittest.main()
