// What @xmpp/client leaves to those who use it, as its users write it: the archive, copies for other devices, nodes of an
// account and who hears of them, bookmarks in their three homes, and blocking.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import test from "node:test";

import { DOMAIN, Person, directTls, starttls, xml } from "./person.mjs";

const PUBSUB = "http://jabber.org/protocol/pubsub";
const DISCO = "http://jabber.org/protocol/disco#info";
const FEATURES = [DISCO, "urn:example:mood+notify", "urn:xmpp:bookmarks:1+notify"];

const set = (...content) => xml("iq", { type: "set" }, ...content);
const get = (...content) => xml("iq", { type: "get" }, ...content);
const condition = async (promise) => promise.then(() => undefined, (error) => error.condition);

async function person(t, name, password, service = directTls) {
  const person = new Person(name, password, service);
  t.after(() => person.xmpp.stop());
  await person.online();
  return person;
}

/** Tells the server what the client wants to hear of: by a hash (XEP-0115), and by what it answers when it is asked. */
async function interested(person) {
  person.xmpp.iqCallee.get(DISCO, "query", ({ element }) => xml("query", { xmlns: DISCO, node: element.attrs.node },
    xml("identity", { category: "client", type: "pc", name: "js" }), ...FEATURES.map((name) => xml("feature", { var: name }))));
  const text = ["client/pc//js", ...[...FEATURES].sort()].map((part) => `${part}<`).join("");
  const ver = createHash("sha1").update(text).digest("base64");
  await person.send(xml("presence", {}, xml("c", { xmlns: "http://jabber.org/protocol/caps", hash: "sha-1", node: "urn:js", ver })));
}

const field = ([name, value]) => xml("field", { var: name }, xml("value", {}, value));
const publish = (node, id, payload, options = {}) => set(xml("pubsub", PUBSUB,
  xml("publish", { node }, xml("item", { id }, payload)),
  xml("publish-options", {}, xml("x", { xmlns: "jabber:x:data", type: "submit" },
    ...[["FORM_TYPE", `${PUBSUB}#publish-options`], ...Object.entries(options)].map(field)))));
const event = (stanza, node) => {
  const items = stanza.getChild("event", `${PUBSUB}#event`)?.getChild("items");
  return items?.attrs.node === node ? items : undefined;
};

test("the archive is read in pages, from the newest back", async (t) => {
  const romeo = await person(t, "romeo", "montague");
  const juliet = await person(t, "juliet", "capulet", starttls);
  const bodies = Array.from({ length: 25 }, (_, number) => `page ${number} ${Math.random()}`);
  for (const body of bodies) await romeo.say(juliet.address, body);
  await juliet.hears(bodies.at(-1));

  const read = [];
  for (let before = ""; read.length < 25;) {
    const answer = juliet.ask(set(xml("query", { xmlns: "urn:xmpp:mam:2", queryid: "q" },
      xml("set", "http://jabber.org/protocol/rsm", xml("max", {}, "10"), xml("before", {}, before)))));
    const fin = (await answer).getChild("fin", "urn:xmpp:mam:2");
    const rsm = fin.getChild("set", "http://jabber.org/protocol/rsm");
    const page = [];
    for (;;) {
      const result = (await juliet.receive((stanza) => stanza.getChild("result", "urn:xmpp:mam:2"))).getChild("result");
      page.push(result.getChild("forwarded").getChild("message").getChildText("body"));
      if (result.attrs.id === rsm.getChildText("last")) break;
    }
    read.unshift(...page);
    before = rsm.getChildText("first");
  }
  assert.deepEqual(read.slice(-25), bodies);
});

test("what one device sends and gets, the other sees", async (t) => {
  const romeo = await person(t, "romeo", "montague");
  const phone = await person(t, "juliet", "capulet");
  const laptop = await person(t, "juliet", "capulet", starttls);
  assert.notEqual(phone.full, laptop.full);
  await laptop.ask(set(xml("enable", "urn:xmpp:carbons:2")));
  const copied = (name) => laptop.receive((stanza) => stanza.getChild(name, "urn:xmpp:carbons:2"))
    .then((stanza) => stanza.getChild(name).getChild("forwarded").getChild("message"));
  await romeo.say(phone.full, "for the phone");
  assert.equal((await copied("received")).getChildText("body"), "for the phone");
  await phone.say(romeo.address, "from the phone");
  assert.equal((await copied("sent")).getChildText("body"), "from the phone");
});

test("who wants to hear of a node does, and an item stays", async (t) => {
  const romeo = await person(t, "romeo", "montague");
  const laptop = await person(t, "romeo", "montague", starttls);
  await interested(laptop);
  const mood = `happy ${Math.random()}`;
  await romeo.ask(publish("urn:example:mood", "now", xml("mood", { xmlns: "urn:example:mood" }, mood)));
  const heard = event(await laptop.receive((stanza) => event(stanza, "urn:example:mood")?.toString().includes(mood)), "urn:example:mood");
  assert.equal(heard.getChild("item").attrs.id, "now");
  const kept = await laptop.ask(get(xml("pubsub", PUBSUB, xml("items", { node: "urn:example:mood" }))));
  assert.ok(kept.toString().includes(mood));
  await romeo.ask(set(xml("pubsub", PUBSUB, xml("retract", { node: "urn:example:mood", notify: "true" }, xml("item", { id: "now" })))));
  await laptop.receive((stanza) => event(stanza, "urn:example:mood")?.getChild("retract"));
  const other = get(xml("pubsub", PUBSUB, xml("items", { node: "urn:example:nothing" })));
  assert.equal(await condition(laptop.ask(other)), "item-not-found");
});

test("a bookmark is in all of its homes", async (t) => {
  const romeo = await person(t, "romeo", "montague");
  const room = `room-${Math.floor(Math.random() * 1e9)}@rooms.example.net`;
  const conference = xml("conference", { xmlns: "urn:xmpp:bookmarks:1", name: "Verona", autojoin: "true" }, xml("nick", {}, "Romeo"));
  const options = { "pubsub#persist_items": "true", "pubsub#max_items": "max", "pubsub#access_model": "whitelist" };
  await romeo.ask(publish("urn:xmpp:bookmarks:1", room, conference, options));
  const older = await romeo.ask(get(xml("query", "jabber:iq:private", xml("storage", "storage:bookmarks"))));
  const bookmark = older.getChild("query").getChild("storage").getChildren("conference").find(({ attrs }) => attrs.jid === room);
  assert.equal(bookmark.attrs.name, "Verona");
  assert.equal(bookmark.getChildText("nick"), "Romeo");

  const renamed = xml("conference", { jid: room, name: "Mantua", autojoin: "false" });
  await romeo.ask(set(xml("query", "jabber:iq:private", xml("storage", { xmlns: "storage:bookmarks" }, renamed))));
  const newer = await romeo.ask(get(xml("pubsub", PUBSUB, xml("items", { node: "urn:xmpp:bookmarks:1" }))));
  const items = newer.getChild("pubsub").getChild("items").getChildren("item");
  assert.equal(items.find(({ attrs }) => attrs.id === room).getChild("conference").attrs.name, "Mantua");
});

test("who is blocked is not heard", async (t) => {
  const romeo = await person(t, "romeo", "montague");
  const juliet = await person(t, "juliet", "capulet");
  const item = xml("item", { jid: romeo.address });
  await juliet.ask(set(xml("block", "urn:xmpp:blocking", item)));
  await romeo.say(juliet.address, "may I?");
  const bounced = await romeo.receive((stanza) => stanza.is("message") && stanza.attrs.type === "error");
  assert.ok(bounced.getChild("error").getChild("service-unavailable"));
  assert.ok((await juliet.ask(get(xml("blocklist", "urn:xmpp:blocking")))).toString().includes(romeo.address));
  await juliet.ask(set(xml("unblock", "urn:xmpp:blocking", xml("item", { jid: romeo.address }))));
  await romeo.say(juliet.address, "and now?");
  await juliet.hears("and now?");
  assert.equal(juliet.xmpp.jid.domain, DOMAIN);
});
