"""What a client asks a server for: discovery, ping, version, time, vCards, private storage, administration."""

from __future__ import annotations

import unittest
from datetime import UTC, datetime
from xml.etree import ElementTree

from case import DOMAIN, PASSWORD, Case, Client, Refused
from slixmpp import JID
from slixmpp.exceptions import IqError
from slixmpp.plugins.xep_0004.stanza import Form

SERVER = JID(DOMAIN)


class Asking(Case):
    tables = '[contact]\nabuse = ["mailto:abuse@example.org"]'

    async def test_discovery_of_the_server(self) -> None:
        client = await self.online()
        info = (await client.plugin["xep_0030"].get_info(SERVER))["disco_info"]
        self.assertIn(("server", "im"), {identity[:2] for identity in info["identities"]})
        expected = {"http://jabber.org/protocol/disco#info", "jabber:iq:version", "jabber:iq:last", "jabber:iq:private",
                    "urn:xmpp:ping", "urn:xmpp:time", "urn:xmpp:blocking", "vcard-temp", "msgoffline"}
        self.assertLessEqual(expected, info["features"])
        self.assertIn("mailto:abuse@example.org", str(info))
        await client.plugin["xep_0030"].get_items(SERVER)

    async def test_discovery_of_an_account(self) -> None:
        client = await self.online()
        info = (await client.plugin["xep_0030"].get_info(JID(client.boundjid.bare), local=False))["disco_info"]
        self.assertIn(("account", "registered"), {identity[:2] for identity in info["identities"]})

    async def test_capabilities_in_the_stream_features_are_those_that_the_server_tells(self) -> None:
        client = self.client(self.account())
        client.register_plugin("xep_0115")
        await client.online()
        await client.all_came()
        version = await client.plugin["xep_0115"].get_verstring(SERVER)
        self.assertTrue(version)
        info = await client.plugin["xep_0030"].get_info(SERVER)
        self.assertEqual(client.plugin["xep_0115"].generate_verstring(info["disco_info"], "sha-1"), version)

    async def test_ping(self) -> None:
        client = await self.online()
        for address in [SERVER, JID(client.boundjid.bare)]:
            await client.plugin["xep_0199"].send_ping(address)

    async def test_version(self) -> None:
        client = await self.online()
        version = (await client.plugin["xep_0092"].get_version(SERVER))["software_version"]
        self.assertEqual(f"stube {version['version']}", self.server.command("version").strip())

    async def test_time(self) -> None:
        client = await self.online()
        answer = (await client.plugin["xep_0202"].get_entity_time(SERVER))["entity_time"]
        told = answer.xml.findtext("{urn:xmpp:time}utc")  # which the library itself reads only without its Z
        self.assertLess(abs((datetime.fromisoformat(told) - datetime.now(UTC)).total_seconds()), 5)

    async def test_time_since_the_start_and_since_someone_was_there(self) -> None:
        client = await self.online()
        last = client.plugin["xep_0012"].get_last_activity
        self.assertLess((await last(SERVER))["last_activity"]["seconds"], 600)
        romeo, juliet = await self.friends()
        await juliet.disconnect()
        await romeo.presence("unavailable", juliet.boundjid)
        answer = await romeo.plugin["xep_0012"].get_last_activity(JID(juliet.boundjid.bare))
        self.assertLess(answer["last_activity"]["seconds"], 60)
        with self.assertRaises(IqError) as refusal:
            await last(JID(juliet.boundjid.bare))
        self.assertEqual(refusal.exception.condition, "forbidden")

    async def test_vcard_is_kept_and_shown_to_others(self) -> None:
        romeo, juliet = await self.online(), await self.online()
        vcard = romeo.plugin["xep_0054"].make_vcard()
        vcard["FN"], vcard["NICKNAME"] = "Romeo Montague", ["Romeo"]
        vcard["PHOTO"]["TYPE"], vcard["PHOTO"]["BINVAL"] = "image/png", bytes(range(256)) * 64
        await romeo.plugin["xep_0054"].publish_vcard(vcard)
        await romeo.disconnect()
        seen = (await juliet.plugin["xep_0054"].get_vcard(JID(romeo.boundjid.bare)))["vcard_temp"]
        self.assertEqual((seen["FN"], seen["PHOTO"]["BINVAL"]), ("Romeo Montague", bytes(range(256)) * 64))

    async def test_private_storage_is_kept_for_its_owner(self) -> None:
        name = self.account()
        first = await self.online(name)
        for text in ["first", "second"]:
            request = first.make_iq_set()
            note = ElementTree.SubElement(request["private"].xml, "{urn:example:note}note")
            note.text = text
            await request.send()
        await first.disconnect()

        second = await self.online(name)
        request = second.make_iq_get()
        ElementTree.SubElement(request["private"].xml, "{urn:example:note}note")
        answer = (await request.send())["private"].xml
        self.assertEqual([note.text for note in answer], ["second"])

    async def test_unknown_request_is_refused(self) -> None:
        client = await self.online()
        with self.assertRaises(IqError) as refusal:
            await client.make_iq_get(queryxmlns="urn:example:unknown", ito=SERVER).send()
        self.assertEqual(refusal.exception.condition, "service-unavailable")


class Administration(Case):
    keys = f'admins = ["admin@{DOMAIN}"]'

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.server.add_user("admin", PASSWORD)

    async def run_command(self, client: Client, name: str, **fields: object) -> dict:
        """Carries out a command with one form; gives the values of the form at its end."""
        commands, node = client.plugin["xep_0050"], f"http://jabber.org/protocol/admin#{name}"
        answer = (await commands.send_command(SERVER, node))["command"]
        if answer["status"] == "executing":
            asked = answer["form"].get_fields()
            self.assertLessEqual(set(fields), set(asked), f"{name} does not ask for them")
            form = Form()
            form["type"] = "submit"
            form.add_field(var="FORM_TYPE", ftype="hidden", value="http://jabber.org/protocol/admin")
            for field, value in fields.items():
                form.add_field(var=field, ftype=asked[field]["type"], value=value)
            answer = await commands.send_command(SERVER, node, "", "complete", form, answer["sessionid"])
            answer = answer["command"]
        self.assertEqual(answer["status"], "completed")
        for note in answer["notes"]:
            self.assertNotEqual(note[0], "error", note)
        return answer["form"].get_values()

    async def test_admin_makes_an_account_changes_its_password_and_removes_it(self) -> None:
        admin = await self.online("admin")
        address = f"apothecary@{DOMAIN}"
        await self.run_command(admin, "add-user", accountjid=address, password="first", **{"password-verify": "first"})
        guest = await self.client("apothecary", "first").online()

        await self.run_command(admin, "change-user-password", accountjid=address, password="second")
        with self.assertRaises(Refused):
            await self.login("apothecary", "first", mechanism="SCRAM-SHA-256")
        self.assertTrue(await guest.ending())
        guest = await self.client("apothecary", "second").online()

        await self.run_command(admin, "delete-user", accountjids=[address])
        self.assertTrue(await guest.ending())
        self.assertNotIn(address, self.server.command("user", "list").split())

    async def test_admin_ends_a_session_and_keeps_an_account_out(self) -> None:
        admin, guest = await self.online("admin"), await self.online()
        await self.run_command(admin, "end-user-session", accountjids=[guest.boundjid.bare])
        self.assertTrue(await guest.ending())

        await self.run_command(admin, "disable-user", accountjids=[guest.boundjid.bare])
        with self.assertRaisesRegex(Refused, "account-disabled"):
            await self.login(guest.boundjid.user, mechanism="SCRAM-SHA-256")
        await self.run_command(admin, "reenable-user", accountjids=[guest.boundjid.bare])
        await self.login(guest.boundjid.user)

    async def test_admin_counts_and_lists(self) -> None:
        admin, guest = await self.online("admin"), await self.online()
        registered = await self.run_command(admin, "get-registered-users-num")
        self.assertGreaterEqual(int(registered["registeredusersnum"]), 2)
        online = await self.run_command(admin, "get-online-users-num")
        self.assertGreaterEqual(int(online["onlineusersnum"]), 2)
        listed = await self.run_command(admin, "get-online-users-list", max_items="none")
        self.assertIn(guest.boundjid.bare, str(listed))

    async def test_announcement_reaches_who_is_online(self) -> None:
        admin, guest = await self.online("admin"), await self.online()
        await self.run_command(admin, "announce", announcement="The gates close at nine.")
        message = await guest.receive(lambda stanza: stanza.name == "message")
        self.assertIn("The gates close at nine.", message["body"])

    async def test_others_may_not(self) -> None:
        guest = await self.online()
        with self.assertRaises(IqError) as refusal:
            await guest.plugin["xep_0050"].send_command(SERVER, "http://jabber.org/protocol/admin#get-online-users-num")
        self.assertEqual(refusal.exception.condition, "forbidden")


if __name__ == "__main__":
    unittest.main()
