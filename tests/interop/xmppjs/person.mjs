// Someone with @xmpp/client, who sends and waits for what should come.
//
// Where the server and the library are is in the environment: see ../run.

import { webcrypto } from "node:crypto";

globalThis.crypto ??= webcrypto; // which the library uses, and Node.js 18 hides
const { client, xml } = await import(`${process.env.NODE_MODULES}/@xmpp/client/index.js`);

export { xml };
export const DOMAIN = "localhost";
const PATIENCE = 20_000;

export class Person {
  #came = [];
  #waiting = [];

  constructor(username, password, service, options = {}) {
    this.address = `${username}@${DOMAIN}`;
    this.xmpp = client({ service, domain: DOMAIN, resource: "js", username, password, ...options });
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

  /** The address of the session, whose resource the server has made. */
  get full() {
    return this.xmpp.jid.toString();
  }

  async online() {
    await this.xmpp.start();
    const roster = await this.ask(xml("iq", { type: "get" }, xml("query", "jabber:iq:roster")));
    await this.send(xml("presence"));
    await this.sees(undefined, this.full);
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

export const starttls = `xmpp://${DOMAIN}:${process.env.STUBE_PORT}`;
export const directTls = `xmpps://${DOMAIN}:${process.env.STUBE_TLS_PORT}`;
