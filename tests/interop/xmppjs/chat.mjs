// Two people with @xmpp/client: login, roster, subscription, chat, a message that waits, and an orderly end.
//
// Where the server and the library are is in the environment: see ../run.

import assert from "node:assert/strict";
import { webcrypto } from "node:crypto";
import test from "node:test";

globalThis.crypto ??= webcrypto; // which the library uses, and Node.js 18 hides
const { client, xml } = await import(`${process.env.NODE_MODULES}/@xmpp/client/index.js`);

const DOMAIN = "localhost";
const PATIENCE = 20_000;

class Person {
  #came = [];
  #waiting = [];

  constructor(username, password, service) {
    this.address = `${username}@${DOMAIN}`;
    this.xmpp = client({ service, domain: DOMAIN, resource: "js", username, password });
    this.xmpp.reconnect.stop();
    this.xmpp.timeout = PATIENCE;
    // The library's own waits until all is written before it listens for the answer, and misses that of a near server.
    this.xmpp.write = async (text) => { this.xmpp.socket.write(text); };
    this.xmpp.on("error", (error) => { this.error = error; });
    this.xmpp.on("stanza", (stanza) => {
      const index = this.#waiting.findIndex(({ wanted }) => wanted(stanza));
      if (index < 0) this.#came.push(stanza);
      else this.#waiting.splice(index, 1)[0].resolve(stanza);
    });
  }

  async online() {
    await this.xmpp.start();
    const roster = await this.ask(xml("iq", { type: "get" }, xml("query", "jabber:iq:roster")));
    await this.send(xml("presence"));
    await this.receive((stanza) => stanza.is("presence") && stanza.attrs.from === `${this.address}/js`);
    return roster.getChild("query").getChildren("item");
  }

  send(stanza) {
    return this.xmpp.send(stanza);
  }

  ask(iq) {
    return this.xmpp.iqCaller.request(iq, PATIENCE);
  }

  say(to, text) {
    return this.send(xml("message", { to, type: "chat" }, xml("body", {}, text)));
  }

  hears(text) {
    return this.receive((stanza) => stanza.is("message") && stanza.getChildText("body") === text);
  }

  sees(type, from) {
    return this.receive((stanza) => stanza.is("presence") && stanza.attrs.type === type && stanza.attrs.from === from);
  }

  receive(wanted) {
    const index = this.#came.findIndex(wanted);
    if (index >= 0) return Promise.resolve(this.#came.splice(index, 1)[0]);
    return new Promise((resolve, reject) => {
      const came = () => `${this.address} did not get it, but: ${this.#came.join("\n")}`;
      const timer = setTimeout(() => reject(new Error(came())), PATIENCE);
      this.#waiting.push({ wanted, resolve: (stanza) => { clearTimeout(timer); resolve(stanza); } });
    });
  }
}

const starttls = `xmpp://${DOMAIN}:${process.env.STUBE_PORT}`;
const directTls = `xmpps://${DOMAIN}:${process.env.STUBE_TLS_PORT}`;
const text = "But soft! <&'\"> \u2600 \u{1f339}";

test("two people meet and chat", async (t) => {
  const romeo = new Person("romeo", "montague", starttls);
  const juliet = new Person("juliet", "capulet", directTls);
  t.after(() => Promise.all([romeo.xmpp.stop(), juliet.xmpp.stop()]));
  assert.deepEqual(await romeo.online(), []);
  assert.deepEqual(await juliet.online(), []);

  const item = xml("item", { jid: juliet.address, name: "Juliet" }, xml("group", {}, "Capulets"));
  await romeo.ask(xml("iq", { type: "set" }, xml("query", "jabber:iq:roster", item)));
  for (const [asking, asked] of [[romeo, juliet], [juliet, romeo]]) {
    await asking.send(xml("presence", { to: asked.address, type: "subscribe" }));
    await asked.sees("subscribe", asking.address);
    await asked.send(xml("presence", { to: asking.address, type: "subscribed" }));
    await asking.sees("subscribed", asked.address);
    await asking.sees(undefined, `${asked.address}/js`);
  }

  await romeo.say(juliet.address, text);
  const message = await juliet.hears(text);
  assert.equal(message.attrs.from, `${romeo.address}/js`);
  await juliet.say(message.attrs.from, "Ay me!");
  await romeo.hears("Ay me!");

  await juliet.xmpp.stop();
  await romeo.sees("unavailable", `${juliet.address}/js`);
  await romeo.say(juliet.address, "Good night, good night!");
  await romeo.ask(xml("iq", { type: "get", to: DOMAIN }, xml("ping", "urn:xmpp:ping")));

  const again = new Person("juliet", "capulet", starttls);
  t.after(() => again.xmpp.stop());
  const [contact] = await again.online();
  assert.deepEqual([contact.attrs.jid, contact.attrs.subscription], [romeo.address, "both"]);
  const waited = await again.hears("Good night, good night!");
  assert.ok(Math.abs(Date.now() - Date.parse(waited.getChild("delay", "urn:xmpp:delay").attrs.stamp)) < 60_000);
  await again.sees(undefined, `${romeo.address}/js`);
  assert.equal(romeo.error ?? juliet.error ?? again.error, undefined);
});

test("a wrong password is told from a lost connection", async () => {
  const nobody = new Person("romeo", "capulet", starttls);
  await assert.rejects(nobody.xmpp.start(), { name: "SASLError", condition: "not-authorized" });
  await nobody.xmpp.stop();
});
