"""What a client keeps on its account's nodes, and what an older one finds of it where it looks; reports."""

from __future__ import annotations

import hashlib
import unittest

from case import Case, Client
from slixmpp import JID
from slixmpp.plugins.xep_0004.stanza import Form
from slixmpp.plugins.xep_0048.stanza import Bookmarks
from slixmpp.plugins.xep_0402.stanza import Conference

PICTURE = b"\x89PNG" + bytes(range(256)) * 16
NAME = hashlib.sha1(PICTURE).hexdigest()
ROOM = JID("ball@rooms.example.net")
PLUGINS = ["xep_0048", "xep_0060", "xep_0084", "xep_0163", "xep_0223", "xep_0377", "xep_0402", "xep_0490"]


class Nodes(Case):
    async def person(self, name: str | None = None) -> Client:
        client = self.client(name or self.account())
        for plugin in PLUGINS:
            client.register_plugin(plugin)
        return await client.online()

    @staticmethod
    def open(client: Client) -> Form:
        form = client.plugin["xep_0004"].make_form(ftype="submit")
        form.add_field("FORM_TYPE", "hidden", value="http://jabber.org/protocol/pubsub#publish-options")
        form.add_field("pubsub#access_model", value="open")
        return form

    async def test_avatar_is_the_photo_of_the_vcard_and_in_presence(self) -> None:
        romeo, juliet = await self.person(), await self.person()
        avatars = romeo.plugin["xep_0084"]
        await avatars.publish_avatar(PICTURE, options=self.open(romeo))
        info = {"id": NAME, "type": "image/png", "bytes": len(PICTURE)}
        await avatars.publish_avatar_metadata([info], options=self.open(romeo))
        vcard = await juliet.plugin["xep_0054"].get_vcard(JID(romeo.boundjid.bare))
        self.assertEqual(vcard["vcard_temp"]["PHOTO"]["BINVAL"], PICTURE)
        again = await self.person(romeo.boundjid.user)
        presence = await romeo.presence("available", again.boundjid)
        self.assertEqual(presence.xml.findtext("{vcard-temp:x:update}x/{vcard-temp:x:update}photo"), NAME)

    async def test_photo_of_the_vcard_is_the_avatar(self) -> None:
        romeo, juliet = await self.person(), await self.person()
        vcard = romeo.plugin["xep_0054"].make_vcard()
        vcard["PHOTO"]["TYPE"], vcard["PHOTO"]["BINVAL"] = "image/png", PICTURE
        await romeo.plugin["xep_0054"].publish_vcard(vcard)
        answer = await juliet.plugin["xep_0084"].retrieve_avatar(JID(romeo.boundjid.bare), NAME)
        self.assertEqual(answer["pubsub"]["items"]["item"]["avatar_data"]["value"], PICTURE)

    async def test_older_bookmarks_are_newer_ones_in_whatever_place(self) -> None:
        for method in ["xep_0049", "xep_0223"]:
            romeo = await self.person()
            bookmarks = Bookmarks()
            bookmarks.add_conference(ROOM, "Romeo", name="The ball", autojoin=True)
            await romeo.plugin["xep_0048"].set_bookmarks(bookmarks, method=method)
            answer = await romeo.plugin["xep_0060"].get_items(JID(romeo.boundjid.bare), Conference.namespace)
            (item,) = answer["pubsub"]["items"]
            self.assertEqual((item["id"], item["conference"]["name"]), (str(ROOM), "The ball"))
            self.assertTrue(item["conference"]["autojoin"])

    async def test_newer_bookmarks_are_older_ones(self) -> None:
        romeo = await self.person()
        bookmark = Conference()
        bookmark["name"] = "The ball"
        await romeo.plugin["xep_0223"].store(bookmark, node=Conference.namespace, id=str(ROOM))
        answer = await romeo.plugin["xep_0048"].get_bookmarks(method="xep_0049")
        (found,) = answer["private"]["bookmarks"]["conferences"]
        self.assertEqual((found["jid"], found["name"]), (ROOM, "The ball"))

    async def test_what_has_been_seen_is_kept(self) -> None:
        romeo = await self.person()
        await romeo.plugin["xep_0490"].flag_chat(ROOM, "some-id")
        answer = await romeo.plugin["xep_0490"].catch_up()
        (item,) = answer["pubsub"]["items"]
        self.assertEqual((item["id"], item["displayed"]["stanza_id"]["id"]), (str(ROOM), "some-id"))

    async def test_report_blocks_and_is_shown_to_the_operator(self) -> None:
        romeo = await self.person()
        await romeo.plugin["xep_0377"].report(JID("tybalt@example.net"), reason="abuse")
        blocked = (await romeo.plugin["xep_0191"].get_blocked())["blocklist"]["items"]
        self.assertEqual([item["jid"] for item in blocked], [JID("tybalt@example.net")])
        reports = self.server.command("reports", "list")
        self.assertIn(f"{romeo.boundjid.bare} about tybalt@example.net: abuse", reports)


if __name__ == "__main__":
    unittest.main()
