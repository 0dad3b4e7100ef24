"""Rooms, with the library's own plugins: made, set up, entered, talked in, ruled, read again, and gone."""

from __future__ import annotations

import itertools
import unittest
from datetime import UTC, datetime, timedelta

from case import DOMAIN, TIMEOUT, Case, Client
from slixmpp import JID
from slixmpp.exceptions import IqError, PresenceError
from slixmpp.plugins.xep_0410.self_ping import PingStatus
from slixmpp.xmlstream.stanzabase import StanzaBase

SERVICE = JID(f"conference.{DOMAIN}")
PLUGINS = ["xep_0045", "xep_0054", "xep_0153", "xep_0249", "xep_0313", "xep_0359", "xep_0410", "xep_0421", "xep_0424",
           "xep_0425"]
numbers = itertools.count(1)


def codes(stanza: StanzaBase) -> set[int]:
    return set(stanza["muc"]["status_codes"])


class Rooms(Case):
    async def guest(self, name: str | None = None, **options) -> Client:
        client = self.client(name or self.account(), **options)
        for plugin in PLUGINS:
            client.register_plugin(plugin)
        return await client.online()

    @staticmethod
    async def enter(client: Client, room: JID, nick: str, **options):
        """Gives the own presence, the subject, who was there, and the history."""
        muc = client.plugin["xep_0045"]
        return await muc.join_muc_wait(room, nick, **({"maxstanzas": 0} | options), timeout=TIMEOUT)

    @staticmethod
    async def configure(client: Client, room: JID, **fields) -> None:
        muc = client.plugin["xep_0045"]
        form = await muc.get_room_config(room)
        known = form.get_fields()
        for name, value in fields.items():
            assert f"muc#roomconfig_{name}" in known, f"no field {name} in {sorted(known)}"
            known[f"muc#roomconfig_{name}"]["value"] = value
        await muc.set_room_config(room, form)

    async def room(self, owner: Client, **fields) -> JID:
        """A new room, which this client has entered as Romeo and set up."""
        room = JID(f"room{next(numbers)}@{SERVICE}")
        own = (await self.enter(owner, room, "Romeo"))[0]
        self.assertLessEqual({110, 201}, codes(own))
        await self.configure(owner, room, **fields)
        return room

    async def pair(self, **fields) -> tuple[JID, Client, Client]:
        """A room, its owner Romeo, and Juliet."""
        romeo, juliet = await self.guest(), await self.guest()
        room = await self.room(romeo, **fields)
        await self.enter(juliet, room, "Juliet")
        await self.shown(romeo, room, "Juliet")
        for person in (romeo, juliet):
            await person.all_came()
            person.inbox.clear()
        return room, romeo, juliet

    @staticmethod
    async def shown(client: Client, room: JID, nick: str, kind: str = "available", **item) -> StanzaBase:
        """The presence of an occupant, with this role or affiliation."""

        def fits(stanza: StanzaBase) -> bool:
            fits = stanza.name == "presence" and stanza["from"] == f"{room}/{nick}"
            gone = stanza["type"] == "unavailable" if fits else False
            return fits and gone == (kind == "unavailable") and all(stanza["muc"][key] == value for key, value in item.items())

        return await client.receive(fits)

    @staticmethod
    async def refusal(client: Client, kind: str = "message") -> str:
        """The condition of the next error."""
        error = await client.receive(lambda stanza: stanza.name == kind and stanza["type"] == "error")
        return error["error"]["condition"]

    def say(self, client: Client, room: JID, text: str) -> None:
        client.send_message(mto=room, mbody=text, mtype="groupchat")

    async def refused(self, condition: str, work) -> None:
        with self.assertRaises((IqError, PresenceError)) as refusal:
            await work
        self.assertEqual(refusal.exception.condition, condition)

    # --- finding, making, setting up ---

    async def test_service_is_found_and_lists_public_rooms(self) -> None:
        romeo = await self.guest()
        disco = romeo.plugin["xep_0030"]
        items = (await disco.get_items(JID(DOMAIN)))["disco_items"]["items"]
        self.assertIn(str(SERVICE), {str(item[0]) for item in items})
        info = (await disco.get_info(SERVICE))["disco_info"]
        self.assertIn(("conference", "text"), {identity[:2] for identity in info["identities"]})
        self.assertIn("http://jabber.org/protocol/muc", info["features"])
        seen = await self.room(romeo, publicroom=True, roomname="Everyone's")
        hidden = await self.room(romeo, publicroom=False)
        rooms = {str(item[0]): item[2] for item in (await disco.get_items(SERVICE))["disco_items"]["items"]}
        self.assertEqual(rooms.get(str(seen)), "Everyone's")
        self.assertNotIn(str(hidden), rooms)

    async def test_room_says_what_it_is(self) -> None:
        room, romeo, juliet = await self.pair(roomname="Verona", roomdesc="Two households", persistentroom=True,
                                              membersonly=False, moderatedroom=False, publicroom=True)
        info = (await juliet.plugin["xep_0030"].get_info(room))["disco_info"]
        self.assertIn(("conference", "text", "Verona"), {(i[0], i[1], i[3]) for i in info["identities"]})
        expected = {"http://jabber.org/protocol/muc", "muc_persistent", "muc_open", "muc_unmoderated", "muc_public",
                    "muc_unsecured", "muc_semianonymous", "urn:xmpp:occupant-id:0"}
        self.assertLessEqual(expected, info["features"])
        values = info["form"].get_values()
        self.assertEqual(values["muc#roominfo_description"], "Two households")
        self.assertEqual(values["muc#roominfo_occupants"], "2")

    async def test_everyone_is_told_of_another_configuration(self) -> None:
        room, romeo, juliet = await self.pair(whois="moderators")
        await self.configure(romeo, room, roomname="Mantua", whois="anyone")
        told = set()
        while not {104, 172} <= told:
            told |= codes(await juliet.receive(lambda stanza: stanza.name == "message" and bool(codes(stanza))))

    async def test_nobody_else_configures(self) -> None:
        room, romeo, juliet = await self.pair()
        await self.refused("forbidden", juliet.plugin["xep_0045"].get_room_config(room))

    # --- entering ---

    async def test_who_enters_sees_everyone_and_gets_the_subject(self) -> None:
        room, romeo, juliet = await self.pair()
        romeo.plugin["xep_0045"].set_subject(room, "What's in a name?")
        await juliet.receive(lambda stanza: stanza.name == "message" and stanza["subject"] == "What's in a name?")
        nurse = await self.guest()
        own, subject, there, history = await self.enter(nurse, room, "Nurse")
        self.assertEqual({presence["from"].resource for presence in there} - {"Nurse"}, {"Romeo", "Juliet"})
        self.assertEqual((subject["subject"], subject["from"].resource), ("What's in a name?", "Romeo"))
        self.assertEqual((own["muc"]["role"], own["muc"]["affiliation"]), ("participant", "none"))
        self.assertEqual(history, [])
        for person in (romeo, juliet):
            await self.shown(person, room, "Nurse", role="participant")

    async def test_doors_are_kept(self) -> None:
        romeo, tybalt = await self.guest(), await self.guest()
        locked = await self.room(romeo, passwordprotectedroom=True, roomsecret="balcony")
        await self.refused("not-authorized", self.enter(tybalt, locked, "Tybalt"))
        await self.refused("not-authorized", self.enter(tybalt, locked, "Tybalt", password="street"))
        await self.enter(tybalt, locked, "Tybalt", password="balcony")
        closed = await self.room(romeo, membersonly=True)
        await self.refused("registration-required", self.enter(tybalt, closed, "Tybalt"))
        await romeo.plugin["xep_0045"].set_affiliation(closed, "member", jid=JID(tybalt.boundjid.bare))
        await self.refused("conflict", self.enter(tybalt, closed, "Romeo"))
        await self.enter(tybalt, closed, "Tybalt")

    async def test_devices_of_one_person_share_a_nick(self) -> None:
        room, romeo, phone = await self.pair()
        laptop = await self.guest(phone.boundjid.user, resource="laptop")
        await self.enter(laptop, room, "Juliet")
        self.say(romeo, room, "both of you")
        for device in (phone, laptop):
            await device.message("both of you")
        await phone.leave()
        self.say(romeo, room, "still there?")
        await laptop.message("still there?")
        self.assertFalse([stanza for stanza in await romeo.all_came() if stanza["type"] == "unavailable"])

    # --- talking ---

    async def test_everyone_hears_the_same_with_the_same_ids(self) -> None:
        room, romeo, juliet = await self.pair()
        juliet.send_message(mto=room, mbody="hello", mtype="groupchat")
        heard = [await person.message("hello") for person in (romeo, juliet)]
        for message in heard:
            self.assertEqual(message["from"], f"{room}/Juliet")
            self.assertEqual(JID(message["stanza_id"]["by"]), room)
        self.assertEqual(heard[0]["stanza_id"]["id"], heard[1]["stanza_id"]["id"])
        self.assertTrue(heard[0]["occupant-id"]["id"])
        self.assertEqual(heard[0]["occupant-id"]["id"], heard[1]["occupant-id"]["id"])

    async def test_private_messages_are_private(self) -> None:
        room, romeo, juliet = await self.pair()
        nurse = await self.guest()
        await self.enter(nurse, room, "Nurse")
        romeo.send_message(mto=JID(f"{room}/Juliet"), mbody="only you", mtype="chat")
        self.assertEqual((await juliet.message("only you"))["from"], f"{room}/Romeo")
        self.assertNotIn("only you", [stanza["body"] for stanza in await nurse.all_came() if stanza.name == "message"])
        romeo.send_message(mto=JID(f"{room}/Mercutio"), mbody="are you there?", mtype="chat")
        self.assertEqual(await self.refusal(romeo), "item-not-found")

    async def test_history_is_for_those_who_come(self) -> None:
        room, romeo, juliet = await self.pair()
        for number in range(5):
            self.say(romeo, room, f"line {number}")
        await juliet.message("line 4")
        nurse = await self.guest()
        history = (await self.enter(nurse, room, "Nurse", maxstanzas=3))[3]
        self.assertEqual([message["body"] for message in history], ["line 2", "line 3", "line 4"])
        self.assertTrue(all(message["delay"]["stamp"] for message in history))
        nurse.plugin["xep_0045"].leave_muc(room, "Nurse")
        await self.shown(nurse, room, "Nurse", "unavailable")
        recent = datetime.now(UTC) + timedelta(minutes=1)
        self.assertEqual((await self.enter(nurse, room, "Nurse", maxstanzas=None, since=recent))[3], [])

    async def test_nicks_change_and_nobody_takes_another_ones(self) -> None:
        room, romeo, juliet = await self.pair()
        await juliet.plugin["xep_0045"].set_self_nick(room, "Capulet")
        gone = await self.shown(romeo, room, "Juliet", "unavailable")
        self.assertEqual(codes(gone), {303})
        self.assertIn("Capulet", str(gone))
        await self.shown(romeo, room, "Capulet")
        juliet.send_presence(pto=JID(f"{room}/Romeo"))
        self.assertEqual(await self.refusal(juliet, "presence"), "conflict")

    # --- ruling ---

    async def test_voice_is_taken_and_given(self) -> None:
        room, romeo, juliet = await self.pair()
        await romeo.plugin["xep_0045"].set_role(room, "Juliet", "visitor")
        await self.shown(juliet, room, "Juliet", role="visitor")
        self.say(juliet, room, "may I?")
        self.assertEqual(await self.refusal(juliet), "forbidden")
        await romeo.plugin["xep_0045"].set_role(room, "Juliet", "participant")
        await self.shown(juliet, room, "Juliet", role="participant")
        self.say(juliet, room, "thank you")
        await romeo.message("thank you")

    async def test_moderated_room_is_quiet(self) -> None:
        room, romeo, juliet = await self.pair(moderatedroom=True)
        self.say(juliet, room, "anyone?")
        self.assertEqual(await self.refusal(juliet), "forbidden")
        juliet.plugin["xep_0045"].request_voice(room, "participant")
        asked = await romeo.receive(lambda stanza: stanza.name == "message" and "muc#request" in str(stanza))
        self.assertIn("Juliet", str(asked))

    async def test_kicked_and_back(self) -> None:
        room, romeo, juliet = await self.pair()
        await romeo.plugin["xep_0045"].set_role(room, "Juliet", "none", reason="good night")
        out = await self.shown(juliet, room, "Juliet", "unavailable")
        self.assertLessEqual({110, 307}, codes(out))
        self.assertIn("good night", str(out))
        self.assertIn(307, codes(await self.shown(romeo, room, "Juliet", "unavailable")))
        await self.enter(juliet, room, "Juliet")

    async def test_banned_and_not_back(self) -> None:
        room, romeo, juliet = await self.pair()
        muc, address = romeo.plugin["xep_0045"], JID(juliet.boundjid.bare)
        nurse = JID(f"nurse@{DOMAIN}")
        await self.refused("forbidden", juliet.plugin["xep_0045"].set_affiliation(room, "outcast", jid=nurse))
        await muc.set_affiliation(room, "outcast", jid=address, reason="enough")
        self.assertIn(301, codes(await self.shown(juliet, room, "Juliet", "unavailable")))
        await self.refused("forbidden", self.enter(juliet, room, "Juliet"))
        self.assertEqual([str(jid) for jid in await muc.get_affiliation_list(room, "outcast")], [str(address)])
        await muc.set_affiliation(room, "none", jid=address)
        await self.enter(juliet, room, "Juliet")

    async def test_lists_of_people(self) -> None:
        room, romeo, juliet = await self.pair()
        muc, address = romeo.plugin["xep_0045"], JID(juliet.boundjid.bare)
        await muc.send_affiliation_list(room, [(address, "admin"), (JID(f"nurse@{DOMAIN}"), "member")])
        await self.shown(juliet, room, "Juliet", affiliation="admin", role="moderator")
        self.assertEqual([str(jid) for jid in await muc.get_affiliation_list(room, "admin")], [str(address)])
        self.assertEqual([str(jid) for jid in await juliet.plugin["xep_0045"].get_affiliation_list(room, "member")],
                         [f"nurse@{DOMAIN}"])
        self.assertEqual(len(await muc.get_roles_list(room, "moderator")), 2)
        await self.refused("conflict", muc.set_affiliation(room, "member", jid=JID(romeo.boundjid.bare)))

    # --- invitations ---

    async def test_invited_by_the_room(self) -> None:
        romeo, juliet = await self.guest(), await self.guest()
        room = await self.room(romeo, membersonly=True)
        romeo.plugin["xep_0045"].invite(room, juliet.boundjid.bare, reason="come")
        invitation = await juliet.receive(lambda stanza: stanza.name == "message" and stanza["from"] == room)
        self.assertIn("come", str(invitation))
        await self.enter(juliet, room, "Juliet")
        nurse = await self.guest()
        romeo.plugin["xep_0045"].invite(room, nurse.boundjid.bare)
        invitation = await nurse.receive(lambda stanza: stanza.name == "message" and stanza["from"] == room)
        nurse.plugin["xep_0045"].decline(room, romeo.boundjid.bare, reason="too late")
        declined = await romeo.receive(lambda stanza: stanza.name == "message" and "too late" in str(stanza))
        self.assertEqual(declined["from"], room)

    async def test_invited_directly(self) -> None:
        room, romeo, juliet = await self.pair()
        nurse = await self.guest()
        romeo.plugin["xep_0249"].send_invitation(JID(nurse.boundjid.bare), room, reason="come")
        invitation = await nurse.receive(lambda stanza: stanza.name == "message" and "jabber:x:conference" in str(stanza))
        self.assertEqual(JID(invitation["groupchat_invite"]["jid"]), room)

    # --- what was said stays, or goes ---

    async def test_archive_of_the_room(self) -> None:
        room, romeo, juliet = await self.pair(persistentroom=True)
        for number in range(12):
            self.say(romeo, room, f"line {number}")
        heard = [await juliet.message(f"line {number}") for number in range(12)]
        archive = juliet.plugin["xep_0313"]
        read = [result["mam_result"] async for result in archive.iterate(room, rsm={"max": 5})]
        said = [result for result in read if result["forwarded"]["stanza"]["body"]]
        self.assertEqual([result["forwarded"]["stanza"]["body"] for result in said], [f"line {n}" for n in range(12)])
        self.assertEqual([result["id"] for result in said], [message["stanza_id"]["id"] for message in heard])
        self.assertEqual(said[0]["forwarded"]["stanza"]["from"], f"{room}/Romeo")

    async def test_archive_is_closed_to_those_who_may_not_enter(self) -> None:
        room, romeo, juliet = await self.pair(membersonly=False)
        await romeo.plugin["xep_0045"].set_affiliation(room, "outcast", jid=JID(juliet.boundjid.bare))
        await self.refused("forbidden", juliet.plugin["xep_0313"].retrieve(room))

    async def test_moderators_take_back_what_others_said(self) -> None:
        room, romeo, juliet = await self.pair()
        self.say(juliet, room, "spam")
        said = await romeo.message("spam")
        await juliet.message("spam")
        await self.refused("forbidden", juliet.plugin["xep_0425"].moderate(room, said["stanza_id"]["id"]))
        await romeo.plugin["xep_0425"].moderate(room, said["stanza_id"]["id"], reason="no")
        told = await juliet.receive(lambda stanza: stanza.name == "message" and "urn:xmpp:message-moderate:1" in str(stanza))
        self.assertEqual(told["from"], room)
        read = [result["mam_result"] async for result in juliet.plugin["xep_0313"].iterate(room)]
        self.assertNotIn("spam", [result["forwarded"]["stanza"]["body"] for result in read])

    # --- who is there, and what is shown of the room ---

    async def test_self_ping_knows_whether_one_is_in(self) -> None:
        room, romeo, juliet = await self.pair()
        ping = juliet.plugin["xep_0410"].send_self_ping
        self.assertEqual(await ping(JID(f"{room}/Juliet")), PingStatus.JOINED)
        juliet.plugin["xep_0045"].leave_muc(room, "Juliet")
        await self.shown(juliet, room, "Juliet", "unavailable")
        self.assertEqual(await ping(JID(f"{room}/Juliet")), PingStatus.DISCONNECTED)

    async def test_requests_reach_occupants(self) -> None:
        room, romeo, juliet = await self.pair()
        version = await romeo.plugin["xep_0092"].get_version(JID(f"{room}/Juliet"))
        self.assertEqual(version["from"], f"{room}/Juliet")

    async def test_room_has_a_picture(self) -> None:
        room, romeo, juliet = await self.pair()
        vcard = romeo.plugin["xep_0054"].make_vcard()
        vcard["PHOTO"]["TYPE"], vcard["PHOTO"]["BINVAL"] = "image/png", bytes(range(256))
        iq = romeo.make_iq_set(ito=room)
        iq.append(vcard)
        await iq.send()
        self.assertIn(104, codes(await juliet.receive(lambda stanza: stanza.name == "message" and bool(codes(stanza)))))
        got = (await juliet.plugin["xep_0054"].get_vcard(room))["vcard_temp"]
        self.assertEqual(got["PHOTO"]["BINVAL"], bytes(range(256)))

    # --- the end ---

    async def test_destroyed(self) -> None:
        room, romeo, juliet = await self.pair(persistentroom=True)
        await self.refused("forbidden", juliet.plugin["xep_0045"].destroy(room))
        await romeo.plugin["xep_0045"].destroy(room, reason="the end", altroom=f"tomb@{SERVICE}")
        out = await self.shown(juliet, room, "Juliet", "unavailable")
        self.assertIn("the end", str(out))
        self.assertIn(f"tomb@{SERVICE}", str(out))
        with self.assertRaises(IqError) as refusal:
            await juliet.plugin["xep_0030"].get_info(room)
        self.assertIn(refusal.exception.condition, ["item-not-found", "gone"])

    async def test_nothing_is_lost_when_the_power_goes(self) -> None:
        room, romeo, juliet = await self.pair(persistentroom=True, roomname="Verona")
        await romeo.plugin["xep_0045"].set_affiliation(room, "member", jid=JID(juliet.boundjid.bare))
        self.say(romeo, room, "remember")
        await romeo.message("remember")
        self.server.kill()
        self.server.start()
        again = await self.guest(juliet.boundjid.user)
        own, _, _, history = await self.enter(again, room, "Juliet", maxstanzas=5)
        self.assertEqual(own["muc"]["affiliation"], "member")
        self.assertEqual([message["body"] for message in history], ["remember"])
        info = (await again.plugin["xep_0030"].get_info(room))["disco_info"]
        self.assertIn("Verona", {identity[3] for identity in info["identities"]})


if __name__ == "__main__":
    unittest.main()
