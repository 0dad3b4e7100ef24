"""A house with a room for the family, and what else rooms do for people: mentions, membership, a slow pace, being found."""

from __future__ import annotations

import unittest
from xml.etree import ElementTree

from case import DOMAIN, TIMEOUT, Case, Client
from slixmpp import JID
from slixmpp.exceptions import PresenceError
from slixmpp.xmlstream.stanzabase import StanzaBase

SERVICE = JID(f"conference.{DOMAIN}")
FAMILY = JID(f"family@{SERVICE}")
REGISTER = "jabber:iq:register"
FORM = "jabber:x:data"


class House(Case):
    tables = '[[room]]\nname = "family"\ntitle = "Family"'

    async def guest(self) -> Client:
        client = self.client(self.account())
        client.register_plugin("xep_0045")
        return await client.online()

    @staticmethod
    async def enter(client: Client, room: JID, nick: str) -> StanzaBase:
        """Gives the own presence."""
        muc = client.plugin["xep_0045"]
        return (await muc.join_muc_wait(room, nick, maxstanzas=0, timeout=TIMEOUT))[0]

    @staticmethod
    async def ask(client: Client, kind: str, to: JID, content: str) -> ElementTree.Element:
        """Gives the content of the result."""
        iq = client.make_iq(ito=to, itype=kind)
        iq.append(ElementTree.fromstring(content))
        return (await iq.send(timeout=TIMEOUT)).xml

    async def room(self, owner: Client, name: str, **fields: str) -> JID:
        """A new room that this client has set up, with these fields by their full names."""
        room = JID(f"{name}@{SERVICE}")
        await self.enter(owner, room, "Romeo")
        values = "".join(
            f"<field var='{var}'><value>{value}</value></field>" for var, value in fields.items()
        )
        form = f"<x xmlns='{FORM}' type='submit'>{values}</x>"
        await self.ask(owner, "set", room, f"<query xmlns='http://jabber.org/protocol/muc#owner'>{form}</query>")
        return room

    async def test_family_has_a_room_and_a_bookmark_of_it(self) -> None:
        juliet = await self.guest()
        items = "<items node='urn:xmpp:bookmarks:1'/>"
        answer = await self.ask(
            juliet, "get", juliet.boundjid.bare, f"<pubsub xmlns='http://jabber.org/protocol/pubsub'>{items}</pubsub>"
        )
        bookmarks = {
            item.get("id"): item.find("{urn:xmpp:bookmarks:1}conference")
            for item in answer.iter("{http://jabber.org/protocol/pubsub}item")
        }
        self.assertIn(str(FAMILY), bookmarks)
        self.assertEqual(bookmarks[str(FAMILY)].get("name"), "Family")
        self.assertIn(bookmarks[str(FAMILY)].get("autojoin"), ("true", "1"))
        own = await self.enter(juliet, FAMILY, "Juliet")
        self.assertEqual(own["muc"]["affiliation"], "member")

    async def test_mention_reaches_who_is_not_there(self) -> None:
        romeo, juliet = await self.guest(), await self.guest()
        await self.enter(romeo, FAMILY, "Romeo")
        message = romeo.make_message(mto=FAMILY, mbody="Juliet, dinner!", mtype="groupchat")
        mention = f"<reference xmlns='urn:xmpp:reference:0' type='mention' uri='xmpp:{juliet.boundjid.bare}'/>"
        message.append(ElementTree.fromstring(mention))
        message.send()
        notice = await juliet.receive(lambda stanza: stanza.name == "message" and stanza["from"] == FAMILY)
        self.assertIn("Juliet, dinner!", "".join(notice.xml.itertext()))

    async def test_registered_nick_is_nobody_elses(self) -> None:
        romeo, juliet, nurse = await self.guest(), await self.guest(), await self.guest()
        room = await self.room(romeo, "club")
        form = await self.ask(juliet, "get", room, f"<query xmlns='{REGISTER}'/>")
        self.assertIn("muc#register_roomnick", {field.get("var") for field in form.iter(f"{{{FORM}}}field")})
        nick = "<field var='muc#register_roomnick'><value>Capulet</value></field>"
        answer = f"<query xmlns='{REGISTER}'><x xmlns='{FORM}' type='submit'>{nick}</x></query>"
        await self.ask(juliet, "set", room, answer)
        with self.assertRaises(PresenceError) as refusal:
            await self.enter(nurse, room, "capulet")
        self.assertEqual(refusal.exception.condition, "conflict")
        own = await self.enter(juliet, room, "Capulet")
        self.assertEqual(own["muc"]["affiliation"], "member")

    async def test_slow_room_asks_for_patience(self) -> None:
        romeo, juliet = await self.guest(), await self.guest()
        room = await self.room(romeo, "library", **{"muc#roomconfig_slow_mode_duration": "60"})
        await self.enter(juliet, room, "Juliet")
        for text in ("one", "two"):
            juliet.send_message(mto=room, mbody=text, mtype="groupchat")
        await romeo.message("one")
        error = await juliet.receive(lambda stanza: stanza.name == "message" and stanza["type"] == "error")
        # The library does not know this condition by name.
        self.assertIsNotNone(error.xml.find(".//{urn:ietf:params:xml:ns:xmpp-stanzas}policy-violation"))
        self.assertEqual(error["error"]["type"], "wait")

    async def test_public_room_is_found_by_words(self) -> None:
        romeo, juliet = await self.guest(), await self.guest()
        room = await self.room(
            romeo, "orchard", **{"muc#roomconfig_publicroom": "1", "muc#roomconfig_roomname": "Capulet's orchard"}
        )
        fields = "".join(
            f"<field var='{var}'><value>{value}</value></field>"
            for var, value in [
                ("FORM_TYPE", "urn:xmpp:channel-search:0:search-params"),
                ("q", "orchard"),
                ("sinname", "1"),
                ("key", "{urn:xmpp:channel-search:0:order}address"),
            ]
        )
        form = f"<x xmlns='{FORM}' type='submit'>{fields}</x>"
        answer = await self.ask(juliet, "get", SERVICE, f"<search xmlns='urn:xmpp:channel-search:0:search'>{form}</search>")
        found = {item.get("address") for item in answer.iter() if item.tag.endswith("}item")}
        self.assertEqual(found, {str(room)})


if __name__ == "__main__":
    unittest.main()
