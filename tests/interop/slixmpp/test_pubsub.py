"""What a client publishes and is told of: personal eventing with its capabilities, keys and private storage, and the
publish-subscribe service."""

from __future__ import annotations

import unittest
from xml.etree import ElementTree

from case import DOMAIN, Case, Client
from slixmpp import JID
from slixmpp.exceptions import IqError
from slixmpp.xmlstream.stanzabase import ElementBase, StanzaBase

SERVICE = JID(f"pubsub.{DOMAIN}")
TUNE = "http://jabber.org/protocol/tune"
DEVICES = "eu.siacs.conversations.axolotl.devicelist"
EVENT = "http://jabber.org/protocol/pubsub#event"


def note(text: str, namespace: str = "urn:note") -> ElementTree.Element:
    element = ElementTree.Element(f"{{{namespace}}}note")
    element.text = text
    return element


def stanza(element: ElementTree.Element) -> ElementBase:
    return ElementBase(xml=element)


class Publishing(Case):
    async def listener(self, name: str, *nodes: str) -> Client:
        """A client whose capabilities say that it wants to be told of these nodes."""
        client = self.client(name)
        for plugin in ["xep_0060", "xep_0115", "xep_0163", "xep_0222", "xep_0223"]:
            client.register_plugin(plugin)
        await client.login()
        await client.get_roster()
        for node in nodes:
            client.plugin["xep_0163"].add_interest(node)
        # What the server has to know of it is in the presence.
        await client.plugin["xep_0115"].update_caps()
        client.send_presence()
        await client.all_came()
        return client

    async def told(self, client: Client, sender: object, node: str) -> StanzaBase:
        def wanted(stanza: StanzaBase) -> bool:
            items = stanza.xml.find(f"{{{EVENT}}}event/{{{EVENT}}}items")
            return stanza["from"] == sender and items is not None and items.get("node") == node

        return await client.receive(wanted)

    async def test_a_friend_is_told_of_what_it_is_interested_in(self) -> None:
        one, other = await self.friends()
        juliet, romeo = one.boundjid.user, other.boundjid.user
        listener = await self.listener(romeo, TUNE)
        publisher = await self.listener(juliet, TUNE)
        await publisher.plugin["xep_0163"].publish(stanza(note("a song", TUNE)), node=TUNE)
        for client in (listener, publisher):
            message = await self.told(client, JID(f"{juliet}@{DOMAIN}"), TUNE)
            self.assertEqual(message["type"], "headline")
            self.assertIn("a song", str(message))
        # Somebody who comes later gets the last one.
        later = await self.listener(romeo, TUNE)
        self.assertIn("delay", str(await self.told(later, JID(f"{juliet}@{DOMAIN}"), TUNE)))

    async def test_keys_are_published_for_everyone_and_many_of_them(self) -> None:
        owner = await self.listener(self.account())
        stranger = await self.listener(self.account())
        form = owner.plugin["xep_0004"].make_form(ftype="submit")
        form.add_field(var="FORM_TYPE", ftype="hidden", value="http://jabber.org/protocol/pubsub#publish-options")
        form.add_field(var="pubsub#access_model", value="open")
        form.add_field(var="pubsub#max_items", value="max")
        home = JID(owner.boundjid.bare)
        for device in range(1, 6):
            publish = owner.plugin["xep_0060"].publish
            await publish(home, "urn:xmpp:omemo:2:bundles", id=str(device), payload=note(f"key {device}"), options=form)
        found = await stranger.plugin["xep_0060"].get_items(home, "urn:xmpp:omemo:2:bundles")
        ids = [item["id"] for item in found["pubsub"]["items"]["substanzas"]]
        self.assertEqual(ids, ["1", "2", "3", "4", "5"])
        with self.assertRaises(IqError) as missing:
            await stranger.plugin["xep_0060"].get_items(home, DEVICES)
        self.assertEqual(missing.exception.condition, "item-not-found")
        self.assertEqual(missing.exception.iq["error"]["code"], "404")

    async def test_private_storage_and_its_preconditions(self) -> None:
        owner, stranger = await self.listener(self.account()), await self.listener(self.account())
        await owner.plugin["xep_0223"].store(stanza(note("mine")), node="urn:secret", id="current")
        found = await owner.plugin["xep_0223"].retrieve("urn:secret")
        self.assertIn("mine", str(found))
        home = JID(owner.boundjid.bare)
        with self.assertRaises(IqError) as refused:
            await stranger.plugin["xep_0060"].get_items(home, "urn:secret")
        self.assertEqual(refused.exception.condition, "not-allowed")
        # What is open already does not become private by being stored there.
        await owner.plugin["xep_0163"].publish(stanza(note("a song", TUNE)), node=TUNE)
        with self.assertRaises(IqError) as unmet:
            await owner.plugin["xep_0223"].store(stanza(note("mine", TUNE)), node=TUNE)
        self.assertEqual(unmet.exception.condition, "conflict")
        self.assertIn("precondition-not-met", str(unmet.exception.iq))

    async def test_the_service_from_the_first_node_to_the_last(self) -> None:
        owner, reader = await self.listener(self.account()), await self.listener(self.account())
        pubsub = owner.plugin["xep_0060"]
        await pubsub.create_node(SERVICE, "news")
        form = (await pubsub.get_node_config(SERVICE, "news"))["pubsub_owner"]["configure"]["form"]
        self.assertEqual(form.get_values()["pubsub#access_model"], "open")
        form["type"] = "submit"
        await pubsub.set_node_config(SERVICE, "news", form)
        answer = await reader.plugin["xep_0060"].subscribe(SERVICE, "news")
        self.assertEqual(answer["pubsub"]["subscription"]["subscription"], "subscribed")
        subscriptions = await pubsub.get_node_subscriptions(SERVICE, "news")
        self.assertIn(reader.boundjid.bare, str(subscriptions))
        await pubsub.publish(SERVICE, "news", id="1", payload=note("extra"))
        self.assertIn("extra", str(await self.told(reader, SERVICE, "news")))
        await pubsub.retract(SERVICE, "news", "1", notify=True)
        self.assertIn("retract", str(await self.told(reader, SERVICE, "news")))
        await pubsub.modify_affiliations(SERVICE, "news", [(JID(reader.boundjid.bare), "publisher")])
        await reader.plugin["xep_0060"].publish(SERVICE, "news", id="2", payload=note("mine"))
        await reader.plugin["xep_0060"].unsubscribe(SERVICE, "news")
        await pubsub.purge(SERVICE, "news")
        await pubsub.delete_node(SERVICE, "news")
        with self.assertRaises(IqError) as gone:
            await pubsub.get_items(SERVICE, "news")
        self.assertEqual(gone.exception.condition, "item-not-found")

    async def test_discovery_of_service_and_nodes(self) -> None:
        client = await self.listener(self.account())
        disco = client.plugin["xep_0030"]
        items = (await disco.get_items(JID(DOMAIN)))["disco_items"]["items"]
        self.assertIn(SERVICE, {item[0] for item in items})
        info = (await disco.get_info(SERVICE))["disco_info"]
        self.assertIn(("pubsub", "service"), {identity[:2] for identity in info["identities"]})
        home = JID(client.boundjid.bare)
        info = (await disco.get_info(home, local=False))["disco_info"]
        self.assertIn(("pubsub", "pep"), {identity[:2] for identity in info["identities"]})
        self.assertIn("http://jabber.org/protocol/pubsub#publish-options", info["features"])
        await client.plugin["xep_0163"].publish(stanza(note("a song", TUNE)), node=TUNE)
        nodes = (await disco.get_items(home, local=False))["disco_items"]["items"]
        self.assertIn(TUNE, {item[1] for item in nodes})
        leaf = (await disco.get_info(home, node=TUNE, local=False))["disco_info"]
        self.assertIn(("pubsub", "leaf"), {identity[:2] for identity in leaf["identities"]})


if __name__ == "__main__":
    unittest.main()
