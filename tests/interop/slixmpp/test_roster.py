"""The roster and its pushes, subscriptions, presence."""

from __future__ import annotations

import unittest

from case import Case, Client
from slixmpp import JID

CONTACT = JID("nurse@example.org")


class Roster(Case):
    async def items(self, client: Client) -> dict:
        client.client_roster.version = ""  # or else the answer is that nothing has changed
        return (await client.get_roster())["roster"]["items"]

    async def test_changes_reach_every_resource_of_the_account(self) -> None:
        name = self.account()
        one, other = await self.online(name, resource="one"), await self.online(name, resource="other")

        await one.update_roster(CONTACT, name="Nurse", groups=["Servants", "Verona"])
        for client in (one, other):
            item = await client.push(CONTACT, name="Nurse", subscription="none")
            self.assertEqual(sorted(item["groups"]), ["Servants", "Verona"])

        await other.update_roster(CONTACT, name="Angelica", groups=["Servants"])
        for client in (one, other):
            item = await client.push(CONTACT, name="Angelica")
            self.assertEqual(item["groups"], ["Servants"])
        self.assertEqual(list(await self.items(one)), [CONTACT])

        await one.del_roster_item(CONTACT)
        for client in (one, other):
            await client.push(CONTACT, subscription="remove")
        self.assertEqual(await self.items(other), {})

    async def test_resource_that_did_not_ask_for_the_roster_gets_no_pushes(self) -> None:
        name = self.account()
        interested, other = await self.online(name, resource="interested"), await self.login(name, resource="other")
        await interested.update_roster(CONTACT, name="Nurse")
        await interested.push(CONTACT, name="Nurse")
        self.assertEqual(await other.all_came(), [])

    async def test_known_version_brings_changes_only(self) -> None:
        name = self.account()
        client = await self.online(name)
        for contact in ["nurse@example.org", "mercutio@example.org"]:
            await client.update_roster(JID(contact), name=contact)
        version = client.client_roster.version
        self.assertTrue(version)
        await client.disconnect()

        later = await self.login(name)
        later.client_roster.version = version
        answer = await later.get_roster()
        self.assertIsNone(answer["roster"]["ver"], "nothing has changed")

        other = await self.online(name)
        await other.update_roster(CONTACT, name="Angelica")
        await other.disconnect()
        last = await self.login(name)
        last.client_roster.version = version
        await last.get_roster()
        self.assertEqual((await last.push(CONTACT))["name"], "Angelica")
        self.assertEqual(await last.all_came(), [], "the other contact has not changed")

    async def test_subscription_both_ways(self) -> None:
        romeo, juliet = await self.online(), await self.online()
        romeo.send_presence(pto=juliet.boundjid.bare, ptype="subscribe")
        await romeo.push(JID(juliet.boundjid.bare), subscription="none", ask="subscribe")
        await juliet.presence("subscribe", romeo.boundjid.bare)

        juliet.send_presence(pto=romeo.boundjid.bare, ptype="subscribed")
        await juliet.push(JID(romeo.boundjid.bare), subscription="from")
        await romeo.push(JID(juliet.boundjid.bare), subscription="to")
        await romeo.presence("subscribed", juliet.boundjid.bare)
        await romeo.presence("available", juliet.boundjid)

        juliet.send_presence(pto=romeo.boundjid.bare, ptype="subscribe")
        await romeo.presence("subscribe", juliet.boundjid.bare)
        romeo.send_presence(pto=juliet.boundjid.bare, ptype="subscribed")
        await romeo.push(JID(juliet.boundjid.bare), subscription="both")
        await juliet.push(JID(romeo.boundjid.bare), subscription="both")
        await juliet.presence("available", romeo.boundjid)

    async def test_request_waits_for_who_is_offline(self) -> None:
        romeo, name = await self.online(), self.account()
        romeo.send_presence(pto=JID(f"{name}@localhost"), ptype="subscribe")
        await romeo.push(JID(f"{name}@localhost"), ask="subscribe")
        juliet = await self.online(name)
        await juliet.presence("subscribe", romeo.boundjid.bare)

    async def test_subscription_ends_from_either_side(self) -> None:
        romeo, juliet = await self.friends()
        romeo.send_presence(pto=juliet.boundjid.bare, ptype="unsubscribe")
        await romeo.push(JID(juliet.boundjid.bare), subscription="from")
        await juliet.push(JID(romeo.boundjid.bare), subscription="to")
        await romeo.presence("unavailable", juliet.boundjid)

        romeo.send_presence(pto=juliet.boundjid.bare, ptype="unsubscribed")
        await juliet.push(JID(romeo.boundjid.bare), subscription="none")
        await juliet.presence("unsubscribed", romeo.boundjid.bare)
        await juliet.presence("unavailable", romeo.boundjid)

    async def test_removing_a_friend_ends_both_subscriptions(self) -> None:
        romeo, juliet = await self.friends()
        await romeo.del_roster_item(juliet.boundjid.bare)
        for kind in ["unsubscribe", "unsubscribed"]:
            await juliet.presence(kind, romeo.boundjid.bare)
        await juliet.push(JID(romeo.boundjid.bare), subscription="none")


class Presence(Case):
    async def test_friends_see_what_one_says_of_oneself(self) -> None:
        romeo, juliet = await self.friends()
        romeo.send_presence(pshow="away", pstatus="at the balcony", ppriority=7)
        presence = await juliet.presence("away", romeo.boundjid)
        self.assertEqual((presence["status"], presence["priority"]), ("at the balcony", 7))

    async def test_who_comes_later_is_told_who_is_there(self) -> None:
        romeo, juliet = await self.friends()
        romeo.send_presence(pshow="dnd")
        await juliet.presence("dnd", romeo.boundjid)
        second = await self.online(juliet.boundjid.user, resource="second")
        await second.presence("dnd", romeo.boundjid)
        await second.presence("available", juliet.boundjid)
        await romeo.presence("available", second.boundjid)

    async def test_end_of_a_session_is_seen(self) -> None:
        romeo, juliet = await self.friends()
        await romeo.disconnect()
        await juliet.presence("unavailable", romeo.boundjid)

    async def test_cut_line_is_seen(self) -> None:
        romeo, juliet = await self.friends()
        romeo.abort()
        await juliet.presence("unavailable", romeo.boundjid)

    async def test_strangers_see_nothing_but_what_is_sent_to_them(self) -> None:
        romeo, stranger = await self.online(), await self.online()
        romeo.send_presence(pshow="xa")
        romeo.send_presence(pto=stranger.boundjid, pstatus="directed")
        presence = await stranger.presence("available", romeo.boundjid)
        self.assertEqual(presence["status"], "directed")
        await romeo.disconnect()
        await stranger.presence("unavailable", romeo.boundjid)
        self.assertEqual(await stranger.all_came(), [])


if __name__ == "__main__":
    unittest.main()
