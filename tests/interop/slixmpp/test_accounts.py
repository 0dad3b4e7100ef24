"""Accounts made, changed and removed from a client (XEP-0077)."""

from __future__ import annotations

import unittest

from case import DOMAIN, PASSWORD, Case, Client, Refused
from slixmpp import JID
from slixmpp.exceptions import IqError


class Registering(Client):
    """Makes its account before it logs in."""

    def __init__(self, *arguments, **options) -> None:
        super().__init__(*arguments, **options)
        self.form: dict = {}
        self.error: str | None = None
        self.add_event_handler("register", self._register)

    async def _register(self, form) -> None:
        self.form = form["register"]["fields"]
        request = self.make_iq_set(ito=DOMAIN)
        request["register"]["username"] = self.requested_jid.user
        request["register"]["password"] = self.password
        try:
            await request.send()
        except IqError as error:
            self.error = error.condition
            await self.disconnect()


class Registration(Case):
    keys = 'registration = "open"'
    tables = "[limits]\nregistrations_per_hour = 0"

    def registering(self, name: str, password: str = PASSWORD) -> Registering:
        client = Registering(self.server, name, password)
        self.addAsyncCleanup(client.leave)
        return client

    async def test_new_account_can_be_used_at_once(self) -> None:
        client = self.registering("newcomer")
        await client.online()
        self.assertLessEqual({"username", "password"}, set(client.form))
        self.assertIn(f"newcomer@{DOMAIN}", self.server.command("user", "list").split())

    async def test_taken_and_reserved_names_are_refused(self) -> None:
        for name, condition in [(self.account(), "conflict"), ("admin", "not-acceptable")]:
            client = self.registering(name, "something else")
            with self.assertRaises(Refused):
                await client.login()
            self.assertEqual(client.error, condition)

    async def test_new_password_ends_other_sessions_and_the_old_one_is_refused(self) -> None:
        name = self.account()
        client, other = await self.online(name), await self.online(name)
        await client.plugin["xep_0077"].change_password("a new one", jid=JID(DOMAIN))
        self.assertTrue(await other.ending())
        await client.all_came()
        with self.assertRaisesRegex(Refused, "not-authorized"):
            await self.login(name, mechanism="SCRAM-SHA-256")
        await self.login(name, "a new one")

    async def test_removed_account_is_gone_and_its_contacts_are_told(self) -> None:
        romeo, juliet = await self.friends()
        await romeo.plugin["xep_0077"].cancel_registration(jid=JID(DOMAIN))
        self.assertEqual(await romeo.ending(), "not-authorized")
        for kind in ["unsubscribe", "unsubscribed"]:
            await juliet.presence(kind, romeo.boundjid.bare)
        await juliet.presence("unavailable", romeo.boundjid)
        await juliet.push(JID(romeo.boundjid.bare), subscription="none")
        self.assertNotIn(romeo.boundjid.bare, self.server.command("user", "list").split())
        with self.assertRaisesRegex(Refused, "not-authorized"):
            await self.login(romeo.boundjid.user, mechanism="SCRAM-SHA-256")

    async def test_new_account_with_an_old_name_inherits_nothing(self) -> None:
        romeo, juliet = await self.friends()
        await romeo.plugin["xep_0054"].publish_vcard(romeo.plugin["xep_0054"].make_vcard())
        name = romeo.boundjid.user
        await romeo.disconnect()
        juliet.send_message(mto=JID(f"{name}@{DOMAIN}"), mbody="for the old Romeo", mtype="chat")
        await juliet.all_came()
        self.server.command("user", "remove", f"{name}@{DOMAIN}")

        client = self.registering(name, "another password")
        await client.online()
        self.assertEqual((await client.get_roster())["roster"]["items"], {})
        self.assertEqual([stanza for stanza in await client.all_came() if stanza.name == "message"], [])


class Operator(Case):
    async def test_new_password_from_the_command_line_holds_at_once(self) -> None:
        name = self.account()
        client = await self.online(name)
        self.server.command("user", "passwd", f"{name}@{DOMAIN}", stdin="a new one\n")
        self.assertTrue(await client.ending())
        with self.assertRaisesRegex(Refused, "not-authorized"):
            await self.login(name, mechanism="SCRAM-SHA-256")
        await self.login(name, "a new one")

    async def test_account_that_an_operator_removes_ends_and_its_contacts_are_told(self) -> None:
        romeo, juliet = await self.friends()
        self.server.command("user", "remove", romeo.boundjid.bare)
        self.assertTrue(await romeo.ending())
        for kind in ["unsubscribe", "unsubscribed"]:
            await juliet.presence(kind, romeo.boundjid.bare)
        await juliet.push(JID(romeo.boundjid.bare), subscription="none")


class Closed(Case):
    async def test_registration_is_neither_offered_nor_possible(self) -> None:
        client = self.client(self.account())
        offered = []
        client.add_event_handler("register", offered.append)
        await client.login()
        self.assertEqual(offered, [])

        forced = Registering(self.server, "stranger", PASSWORD)
        forced.plugin["xep_0077"].force_registration = True
        self.addAsyncCleanup(forced.leave)
        with self.assertRaises((Refused, IqError)):
            await forced.login()
        self.assertNotIn(f"stranger@{DOMAIN}", self.server.command("user", "list").split())


if __name__ == "__main__":
    unittest.main()
