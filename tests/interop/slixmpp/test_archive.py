"""The archive, with the library's own plugins: what was said, page by page, and what is to be archived."""

from __future__ import annotations

import unittest
from datetime import UTC, datetime, timedelta

from case import DOMAIN, Case, Client
from slixmpp import JID
from slixmpp.exceptions import IqError
from slixmpp.xmlstream.stanzabase import StanzaBase


def text(result: StanzaBase) -> str:
    """What an archived message says."""
    return result["mam_result"]["forwarded"]["stanza"]["body"]


class Archive(Case):
    async def archiving(self, name: str | None = None, **options) -> Client:
        client = self.client(name or self.account(), **options)
        client.register_plugin("xep_0313")
        client.register_plugin("xep_0359")
        client.register_plugin("xep_0441")
        return await client.online()

    async def conversation(self, count: int) -> tuple[Client, Client]:
        """Two people who have said so many numbers, in turns."""
        people = await self.archiving(), await self.archiving()
        for number in range(count):
            sender, receiver = people[number % 2], people[1 - number % 2]
            sender.send_message(mto=receiver.boundjid.bare, mbody=str(number), mtype="chat")
            await receiver.message(str(number))
        return people

    async def all(self, client: Client, **options) -> list[str]:
        own = JID(client.boundjid.bare)
        return [text(result) async for result in client.plugin["xep_0313"].iterate(own, **options)]

    async def test_account_announces_its_archive(self) -> None:
        client = await self.archiving()
        info = await client.plugin["xep_0030"].get_info(JID(client.boundjid.bare))
        for feature in ["urn:xmpp:mam:2", "urn:xmpp:mam:2#extended", "urn:xmpp:sid:0"]:
            self.assertIn(feature, info["disco_info"]["features"])
        fields = await client.plugin["xep_0313"].get_fields(JID(client.boundjid.bare))
        self.assertLessEqual({"with", "start", "end", "before-id", "after-id", "ids"}, set(fields.get_fields()))

    async def test_both_sides_page_through_what_was_said_forwards_and_backwards(self) -> None:
        for client in await self.conversation(35):
            self.assertEqual(await self.all(client), [str(number) for number in range(35)])
            backwards = await self.all(client, reverse=True)
            self.assertEqual(backwards, [str(number) for number in reversed(range(35))])

    async def test_filters_choose(self) -> None:
        romeo, juliet = await self.conversation(4)
        nurse = await self.archiving()
        nurse.send_message(mto=romeo.boundjid.bare, mbody="Madam!", mtype="chat")
        await romeo.message("Madam!")
        self.assertEqual(await self.all(romeo, with_jid=JID(nurse.boundjid.bare)), ["Madam!"])
        self.assertEqual(await self.all(romeo, with_jid=juliet.boundjid), ["1", "3"])
        later = datetime.now(UTC) + timedelta(hours=1)
        self.assertEqual(await self.all(romeo, start=later), [])
        self.assertEqual(len(await self.all(romeo, end=later)), 5)

    async def test_ids_in_messages_and_metadata_are_those_of_the_archive(self) -> None:
        romeo, juliet = await self.archiving(), await self.archiving()
        ids = []
        for body in ["one", "two"]:
            romeo.send_message(mto=juliet.boundjid.bare, mbody=body, mtype="chat")
            message = await juliet.message(body)
            self.assertEqual(message["stanza_id"]["by"], juliet.boundjid.bare)
            ids.append(message["stanza_id"]["id"])
        results = [result async for result in juliet.plugin["xep_0313"].iterate(JID(juliet.boundjid.bare))]
        self.assertEqual([result["mam_result"]["id"] for result in results], ids)
        metadata = await juliet.plugin["xep_0313"].get_archive_metadata(JID(juliet.boundjid.bare))
        metadata = metadata["mam_metadata"]
        self.assertEqual([metadata["start"]["id"], metadata["end"]["id"]], ids)

    async def test_archive_of_someone_else_is_forbidden(self) -> None:
        romeo, juliet = await self.conversation(1)
        for address in [juliet.boundjid.bare, f"nobody@{DOMAIN}"]:
            with self.assertRaises(IqError) as refused:
                await romeo.plugin["xep_0313"].retrieve(JID(address))
            self.assertEqual(refused.exception.condition, "forbidden")

    async def test_preferences_decide_what_is_archived(self) -> None:
        romeo, juliet = await self.archiving(), await self.archiving()
        preferences = romeo.plugin["xep_0441"]
        self.assertEqual(await preferences.get_preferences(), ("always", set(), set()))
        await preferences.set_preferences("never", [JID("nurse@example.net")], [])
        self.assertEqual(await preferences.get_preferences(), ("never", {JID("nurse@example.net")}, set()))
        romeo.send_message(mto=juliet.boundjid.bare, mbody="off the record", mtype="chat")
        await juliet.message("off the record")
        self.assertEqual(await self.all(romeo), [])
        self.assertEqual(await self.all(juliet), ["off the record"])

    async def test_who_reads_the_archive_is_not_given_the_same_again(self) -> None:
        romeo, name = await self.archiving(), self.account()
        juliet = await self.archiving(name, resource="balcony")
        self.assertEqual(await self.all(juliet), [])
        await juliet.leave()
        romeo.send_message(mto=JID(f"{name}@{DOMAIN}"), mbody="hi", mtype="chat")
        await romeo.all_came()
        again = await self.archiving(name, resource="balcony")
        self.assertEqual(await self.all(again), ["hi"])
        waited = [stanza for stanza in await again.all_came() if stanza.name == "message" and stanza["body"] == "hi"]
        self.assertEqual(waited, [])


if __name__ == "__main__":
    unittest.main()
