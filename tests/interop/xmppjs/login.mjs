// What @xmpp/client does by itself where it is offered: SASL2, Bind 2, a token in place of the password, and stream
// management that is enabled and resumed along with the login.

import assert from "node:assert/strict";
import test from "node:test";

import { hashedToken } from "./hashed_token.mjs";
import { Person, directTls, starttls, xml } from "./person.mjs";

/** Everything that a client hears that is no stanza, by name. */
function nonzas(person) {
  const heard = [];
  person.xmpp.on("nonza", (element) => heard.push(element.name));
  return heard;
}

for (const mechanism of ["HT-SHA-256-NONE", "HT-SHA-256-EXPR", "HT-SHA-256-ENDP"]) {
  test(`a client is there after one request, and the next time with a token: ${mechanism}`, async (t) => {
    const userAgent = xml("user-agent", { id: crypto.randomUUID() }, xml("software", {}, "xmpp.js"));
    const person = (password, service) => {
      const person = new Person("romeo", password, service, { userAgent });
      if (mechanism !== "HT-SHA-256-NONE") {
        const { fast } = person.xmpp;
        fast.saslFactory._mechs.length = 0;
        fast.saslFactory.use(hashedToken(mechanism, person.xmpp));
      }
      return person;
    };

    const first = person("montague", directTls);
    let token;
    first.xmpp.fast.saveToken = async (given) => { token = given; };
    const heard = nonzas(first);
    await first.xmpp.start();
    assert.ok(first.xmpp.streamManagement.enabled && first.xmpp.streamManagement.id);
    assert.match(first.full, /^romeo@localhost\/js\/.+$/);
    assert.equal(heard.filter((name) => name === "success").length, 1);
    assert.equal(token.mechanism, mechanism);
    assert.ok(Date.parse(token.expiry) > Date.now());
    const address = first.full;
    await first.xmpp.stop();

    const second = person("not the password", starttls);
    t.after(() => second.xmpp.stop());
    second.xmpp.fast.fetchToken = async () => token;
    const heardThen = nonzas(second);
    await second.xmpp.start();
    assert.deepEqual(heardThen.filter((name) => ["challenge", "failure"].includes(name)), []);
    assert.equal(second.full, address, "the same client has the same address");
  });
}

test("a client that has lost its line resumes its session with the login", async (t) => {
  const juliet = new Person("juliet", "capulet", directTls);
  const romeo = new Person("romeo", "montague", starttls);
  t.after(() => Promise.all([romeo.xmpp.stop(), juliet.xmpp.stop()]));
  await juliet.online();
  await romeo.online();
  const address = juliet.full;
  const heard = nonzas(juliet);
  const resumed = new Promise((resolve) => juliet.xmpp.streamManagement.once("resumed", resolve));

  const gone = new Promise((resolve) => juliet.xmpp.once("disconnect", resolve));
  juliet.xmpp.socket.socket.destroy();
  await gone;
  await romeo.say(address, "Wherefore art thou gone?");
  await juliet.xmpp.reconnect.reconnect();
  await resumed;
  assert.equal(juliet.full, address);
  await juliet.hears("Wherefore art thou gone?");
  assert.ok(!heard.includes("challenge"), "and with a token");
});
