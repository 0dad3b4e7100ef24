// Two people with @xmpp/client: login, roster, subscription, chat, a message in the archive, and an orderly end.

import assert from "node:assert/strict";
import test from "node:test";

import { DOMAIN, Person, directTls, starttls, xml } from "./person.mjs";

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
    await asking.sees(undefined, asked.full);
  }

  await romeo.say(juliet.address, text);
  const message = await juliet.hears(text);
  assert.equal(message.attrs.from, romeo.full);
  await juliet.say(message.attrs.from, "Ay me!");
  await romeo.hears("Ay me!");

  await juliet.xmpp.stop();
  await romeo.sees("unavailable", juliet.full);
  await romeo.say(juliet.address, "Good night, good night!");
  await romeo.ask(xml("iq", { type: "get", to: DOMAIN }, xml("ping", "urn:xmpp:ping")));

  const again = new Person("juliet", "capulet", starttls);
  t.after(() => again.xmpp.stop());
  const [contact] = await again.online();
  assert.deepEqual([contact.attrs.jid, contact.attrs.subscription], [romeo.address, "both"]);
  // The library logs in with Bind 2 (XEP-0386): what has waited is in the archive.
  const archived = (stanza) => stanza.getChild("result", "urn:xmpp:mam:2")?.getChild("forwarded", "urn:xmpp:forward:0");
  await again.ask(xml("iq", { type: "set" }, xml("query", "urn:xmpp:mam:2")));
  const waited = archived(await again.receive((stanza) =>
    archived(stanza)?.getChild("message", "jabber:client").getChildText("body") === "Good night, good night!"));
  assert.ok(Math.abs(Date.now() - Date.parse(waited.getChild("delay", "urn:xmpp:delay").attrs.stamp)) < 60_000);
  await again.sees(undefined, romeo.full);
  assert.equal(romeo.error ?? juliet.error ?? again.error, undefined);
});

test("a wrong password is told from a lost connection", async () => {
  const nobody = new Person("romeo", "capulet", starttls);
  await assert.rejects(nobody.xmpp.start(), { name: "SASLError", condition: "not-authorized" });
  await nobody.xmpp.stop();
});
