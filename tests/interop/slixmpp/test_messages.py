"""Chat, messages that wait, what cannot be delivered, and blocking."""

from __future__ import annotations

import unittest
from datetime import UTC, datetime, timedelta

from case import DOMAIN, Case, Client
from slixmpp import JID

TEXT = "What light through yonder window breaks? <&'\"> \u2600 \U0001f339"


async def error(client: Client) -> str:
    """The condition of the error for a message."""
    stanza = await client.receive(lambda stanza: stanza.name == "message" and stanza["type"] == "error")
    return stanza["error"]["condition"]


class Messages(Case):
    async def test_chat_goes_both_ways(self) -> None:
        romeo, juliet = await self.friends()
        romeo.send_message(mto=juliet.boundjid.bare, mbody=TEXT, mtype="chat")
        message = await juliet.message(TEXT)
        self.assertEqual((message["from"], message["type"]), (romeo.boundjid, "chat"))
        juliet.send_message(mto=message["from"], mbody="Ay me!", mtype="chat")
        answer = await romeo.message("Ay me!")
        self.assertEqual((answer["from"], answer["to"]), (juliet.boundjid, romeo.boundjid))

    async def test_full_address_reaches_that_resource_and_the_bare_one_all_of_the_best(self) -> None:
        romeo, name = await self.online(), self.account()
        garden = await self.online(name, resource="garden", priority=5)
        house = await self.online(name, resource="house", priority=5)
        cellar = await self.online(name, resource="cellar", priority=-1)
        for client in (garden, house, cellar):
            await client.all_came()
            client.inbox.clear()

        romeo.send_message(mto=cellar.boundjid, mbody="to the cellar", mtype="chat")
        await cellar.message("to the cellar")
        romeo.send_message(mto=JID(garden.boundjid.bare), mbody="to anyone", mtype="chat")
        await garden.message("to anyone")
        await house.message("to anyone")
        self.assertEqual(await cellar.all_came(), [])

    async def test_messages_wait_in_order_with_the_time_when_they_came(self) -> None:
        romeo, name = await self.online(), self.account()
        bodies = [f"{TEXT} {number}" for number in range(120)]
        began = datetime.now(UTC) - timedelta(seconds=1)
        for body in bodies:
            romeo.send_message(mto=JID(f"{name}@{DOMAIN}"), mbody=body, mtype="chat")
        await romeo.all_came()
        sent = datetime.now(UTC) + timedelta(seconds=1)

        juliet = await self.online(name)
        waited = [await juliet.message(body) for body in bodies]
        for message in waited:
            self.assertTrue(began <= message["delay"]["stamp"] <= sent, message)
            self.assertEqual(message["from"], romeo.boundjid)
        await juliet.disconnect()
        again = await self.online(name)
        self.assertEqual([stanza for stanza in await again.all_came() if stanza.name == "message"], [])

    async def test_messages_that_wait_are_given_in_the_order_in_which_they_came(self) -> None:
        romeo, name = await self.online(), self.account()
        bodies = [str(number) for number in range(200)]
        for body in bodies:
            romeo.send_message(mto=JID(f"{name}@{DOMAIN}"), mbody=body)
        await romeo.all_came()
        juliet = await self.online(name)
        await juliet.receive(lambda stanza: stanza.name == "message" and stanza["body"] == bodies[-1])
        self.assertEqual([stanza["body"] for stanza in juliet.inbox if stanza.name == "message"], bodies[:-1])

    async def test_much_that_waits_comes_as_fast_as_it_is_read(self) -> None:
        romeo, name = await self.online(), self.account()
        bodies = [f"{number} {'o' * 200_000}" for number in range(15)]
        for body in bodies:
            romeo.send_message(mto=JID(f"{name}@{DOMAIN}"), mbody=body, mtype="chat")
        await romeo.all_came()
        juliet = await self.online(name)
        for body in bodies:
            await juliet.message(body)

    async def test_negative_priority_gets_no_messages_that_wait(self) -> None:
        romeo, name = await self.online(), self.account()
        romeo.send_message(mto=JID(f"{name}@{DOMAIN}"), mbody="for later", mtype="chat")
        await romeo.all_came()
        juliet = await self.online(name, priority=-1)
        self.assertEqual([stanza for stanza in await juliet.all_came() if stanza.name == "message"], [])
        juliet.send_presence(ppriority=0)
        await juliet.message("for later")

    async def test_nobody_is_there_to_get_it(self) -> None:
        romeo = await self.online()
        for address, condition in [
            (f"nobody@{DOMAIN}", "service-unavailable"),
            ("juliet@capulet.example", "remote-server-not-found"),
        ]:
            romeo.send_message(mto=JID(address), mbody="hello?", mtype="chat")
            self.assertEqual(await error(romeo), condition)

    async def test_headline_and_chat_state_do_not_wait(self) -> None:
        romeo, name = await self.online(), self.account()
        romeo.send_message(mto=JID(f"{name}@{DOMAIN}"), mbody="news", mtype="headline")
        state = "<composing xmlns='http://jabber.org/protocol/chatstates'/>"
        romeo.send_raw(f"<message to='{name}@{DOMAIN}' type='chat'>{state}</message>")
        await romeo.all_came()
        juliet = await self.online(name)
        self.assertEqual([stanza for stanza in await juliet.all_came() if stanza.name == "message"], [])


class Blocking(Case):
    async def test_blocked_friend_cannot_reach_or_see_us_until_unblocked(self) -> None:
        romeo, juliet = await self.friends()
        second = await self.online(juliet.boundjid.user, resource="second")
        await second.plugin["xep_0191"].get_blocked()
        blocking = juliet.plugin["xep_0191"]
        self.assertEqual(await blocking.get_blocked_jids(), set())
        romeo_bare = JID(romeo.boundjid.bare)

        await blocking.block(romeo_bare)
        await romeo.presence("unavailable", juliet.boundjid)
        await second.receive(lambda stanza: stanza.name == "iq" and stanza.get_plugin("block", check=True))
        self.assertEqual(await blocking.get_blocked_jids(), {romeo_bare})

        await juliet.all_came()
        juliet.inbox.clear()
        romeo.send_message(mto=juliet.boundjid.bare, mbody="may I?", mtype="chat")
        self.assertEqual(await error(romeo), "service-unavailable")
        romeo.send_presence(pshow="away")
        await romeo.all_came()
        self.assertEqual(await juliet.all_came(), [])

        juliet.send_message(mto=romeo_bare, mbody="no", mtype="chat")
        self.assertEqual(await error(juliet), "not-acceptable")

        await blocking.unblock(romeo_bare)
        await romeo.presence("available", juliet.boundjid)
        await second.receive(lambda stanza: stanza.name == "iq" and stanza.get_plugin("unblock", check=True))
        romeo.send_message(mto=juliet.boundjid.bare, mbody="and now?", mtype="chat")
        await juliet.message("and now?")

    async def test_list_outlives_the_session(self) -> None:
        name = self.account()
        first = await self.online(name)
        await first.plugin["xep_0191"].block([JID("tybalt@example.org"), JID("example.com")])
        await first.disconnect()
        second = await self.online(name)
        blocked = await second.plugin["xep_0191"].get_blocked_jids()
        self.assertEqual(blocked, {JID("tybalt@example.org"), JID("example.com")})


if __name__ == "__main__":
    unittest.main()
