// Rooms, as users of @xmpp/client write them: nothing here but stanzas.

import assert from "node:assert/strict";
import test from "node:test";

import { DOMAIN, Person, directTls, starttls, xml } from "./person.mjs";

const MUC = "http://jabber.org/protocol/muc";
const SERVICE = `conference.${DOMAIN}`;
const DISCO = "http://jabber.org/protocol/disco#info";

const set = (to, ...content) => xml("iq", { type: "set", to }, ...content);
const get = (to, ...content) => xml("iq", { type: "get", to }, ...content);
const condition = async (promise) => promise.then(() => undefined, (error) => error.condition);
const aRoom = () => `room${Math.floor(Math.random() * 1e12)}@${SERVICE}`;
const codes = (stanza) => (stanza.getChild("x", `${MUC}#user`)?.getChildren("status") ?? []).map(({ attrs }) => attrs.code);
const item = (stanza) => stanza.getChild("x", `${MUC}#user`)?.getChild("item")?.attrs ?? {};
const from = (address, kind) => (stanza) => stanza.is(kind) && stanza.attrs.from === address;

async function person(t, name, password, service = directTls) {
  const person = new Person(name, password, service);
  t.after(() => person.xmpp.stop());
  await person.online();
  return person;
}

/** Gives the own presence, or the condition of the refusal. */
async function enter(person, room, nick, password) {
  const x = xml("x", { xmlns: MUC }, xml("history", { maxstanzas: "0" }), ...(password ? [xml("password", {}, password)] : []));
  await person.send(xml("presence", { to: `${room}/${nick}` }, x));
  const answer = await person.receive((stanza) => from(`${room}/${nick}`, "presence")(stanza) &&
    (stanza.attrs.type === "error" || codes(stanza).includes("110")));
  if (answer.attrs.type === "error") return answer.getChild("error").children.find((child) => child.attrs.xmlns.endsWith("stanzas")).name;
  await person.receive((stanza) => stanza.is("message") && stanza.getChild("subject"));
  return answer;
}

function configure(person, room, fields) {
  const field = ([name, value]) => xml("field", { var: name === "FORM_TYPE" ? name : `muc#roomconfig_${name}` }, xml("value", {}, value));
  return person.ask(set(room, xml("query", `${MUC}#owner`, xml("x", { xmlns: "jabber:x:data", type: "submit" },
    ...[["FORM_TYPE", `${MUC}#roomconfig`], ...Object.entries(fields)].map(field)))));
}

const change = (person, room, attributes) => person.ask(set(room, xml("query", `${MUC}#admin`, xml("item", attributes))));

/** A room of Romeo's with both in it. */
async function pair(t, fields = {}) {
  const romeo = await person(t, "romeo", "montague");
  const juliet = await person(t, "juliet", "capulet", starttls);
  const room = aRoom();
  const made = await enter(romeo, room, "Romeo");
  assert.ok(codes(made).includes("201"));
  assert.equal(item(made).affiliation, "owner");
  await configure(romeo, room, fields);
  assert.notEqual(typeof await enter(juliet, room, "Juliet"), "string");
  await romeo.receive(from(`${room}/Juliet`, "presence"));
  return { room, romeo, juliet };
}

test("a room is made, named and entered", async (t) => {
  const { room, juliet } = await pair(t, { roomname: "Verona", persistentroom: "1" });
  const info = (await juliet.ask(get(room, xml("query", DISCO)))).getChild("query");
  assert.ok(info.getChildren("identity").some(({ attrs }) => attrs.category === "conference" && attrs.name === "Verona"));
  assert.ok(info.getChildren("feature").some(({ attrs }) => attrs.var === "muc_persistent"));
});

test("what is said comes to all, and back to who has said it", async (t) => {
  const { room, romeo, juliet } = await pair(t);
  const text = `hello ${Math.random()}`;
  await juliet.send(xml("message", { to: room, type: "groupchat", id: "mine" }, xml("body", {}, text)));
  const [echo, heard] = await Promise.all([juliet.hears(text), romeo.hears(text)]);
  assert.equal(echo.attrs.id, "mine");
  assert.equal(heard.attrs.from, `${room}/Juliet`);
  const id = (message) => message.getChildren("stanza-id").find(({ attrs }) => attrs.by === room)?.attrs.id;
  assert.ok(id(echo));
  assert.equal(id(echo), id(heard));
});

test("a private message is for one", async (t) => {
  const { room, romeo, juliet } = await pair(t);
  const text = `secret ${Math.random()}`;
  await romeo.send(xml("message", { to: `${room}/Juliet`, type: "chat" }, xml("body", {}, text), xml("x", `${MUC}#user`)));
  assert.equal((await juliet.hears(text)).attrs.from, `${room}/Romeo`);
});

test("moderators rule", async (t) => {
  const { room, romeo, juliet } = await pair(t);
  assert.equal(await condition(change(juliet, room, { nick: "Romeo", role: "none" })) === undefined, false);
  await change(romeo, room, { nick: "Juliet", role: "visitor" });
  await juliet.receive((stanza) => from(`${room}/Juliet`, "presence")(stanza) && item(stanza).role === "visitor");
  await juliet.send(xml("message", { to: room, type: "groupchat" }, xml("body", {}, "may I?")));
  const refused = await juliet.receive((stanza) => stanza.is("message") && stanza.attrs.type === "error");
  assert.ok(refused.getChild("error").getChild("forbidden"));
  await change(romeo, room, { nick: "Juliet", role: "none" });
  const kicked = await juliet.sees("unavailable", `${room}/Juliet`);
  assert.ok(codes(kicked).includes("307") && codes(kicked).includes("110"));
  await change(romeo, room, { jid: juliet.address, affiliation: "outcast" });
  assert.equal(await enter(juliet, room, "Juliet"), "forbidden");
  const outcasts = await romeo.ask(get(room, xml("query", `${MUC}#admin`, xml("item", { affiliation: "outcast" }))));
  assert.deepEqual(outcasts.getChild("query").getChildren("item").map(({ attrs }) => attrs.jid), [juliet.address]);
});

test("a room for members has a door", async (t) => {
  const romeo = await person(t, "romeo", "montague");
  const juliet = await person(t, "juliet", "capulet");
  const room = aRoom();
  await enter(romeo, room, "Romeo");
  await configure(romeo, room, { membersonly: "1" });
  assert.equal(await enter(juliet, room, "Juliet"), "registration-required");
  await romeo.send(xml("message", { to: room }, xml("x", `${MUC}#user`, xml("invite", { to: juliet.address }))));
  await juliet.receive(from(room, "message"));
  assert.equal(item(await enter(juliet, room, "Juliet")).affiliation, "member");
});

test("one knows whether one is still in", async (t) => {
  const { room, juliet } = await pair(t);
  const ping = () => condition(juliet.ask(get(`${room}/Juliet`, xml("ping", "urn:xmpp:ping"))));
  assert.equal(await ping(), undefined);
  await juliet.send(xml("presence", { to: `${room}/Juliet`, type: "unavailable" }));
  await juliet.sees("unavailable", `${room}/Juliet`);
  assert.equal(await ping(), "not-acceptable");
});

test("the archive of a room is read by those who were there", async (t) => {
  const { room, romeo, juliet } = await pair(t);
  const texts = Array.from({ length: 5 }, (_, number) => `line ${number} ${Math.random()}`);
  for (const body of texts) await romeo.send(xml("message", { to: room, type: "groupchat" }, xml("body", {}, body)));
  await juliet.hears(texts.at(-1));
  await juliet.ask(set(room, xml("query", { xmlns: "urn:xmpp:mam:2" })));
  const read = [];
  while (read.length < texts.length) {
    const got = await juliet.receive((stanza) => stanza.attrs.from === room && stanza.getChild("result", "urn:xmpp:mam:2"));
    const body = got.getChild("result").getChild("forwarded").getChild("message").getChildText("body");
    if (body) read.push(body);
  }
  assert.deepEqual(read, texts);
});

test("a room ends, and says why", async (t) => {
  const { room, romeo, juliet } = await pair(t);
  await romeo.ask(set(room, xml("query", `${MUC}#owner`, xml("destroy", {}, xml("reason", {}, "the end")))));
  const out = await juliet.sees("unavailable", `${room}/Juliet`);
  assert.equal(out.getChild("x", `${MUC}#user`).getChild("destroy").getChildText("reason"), "the end");
});
