// The mechanisms HT-SHA-256-EXPR and -ENDP for @xmpp/client, which itself has only -NONE, from draft-schmaus-kitten-sasl-ht.

import assert from "node:assert/strict";
import { createHash, createHmac } from "node:crypto";

const bindings = {
  // RFC 9266 §4
  "HT-SHA-256-EXPR": (socket) => socket.exportKeyingMaterial(32, "EXPORTER-Channel-Binding", Buffer.alloc(0)),
  // RFC 5929 §4.1, for a certificate that is signed with SHA-256
  "HT-SHA-256-ENDP": (socket) => createHash("sha256").update(socket.getPeerCertificate(true).raw).digest(),
};

/** A mechanism by its name, for the connection that `xmpp` has when it is used. */
export function hashedToken(name, xmpp) {
  const hash = (token, who) => {
    const hmac = createHmac("sha256", token).update(who);
    return hmac.update(bindings[name](xmpp.socket.socket)).digest("latin1");
  };
  class Mechanism {
    async response({ username, password }) {
      this.token = password;
      return `${username}\0${hash(password, "Initiator")}`;
    }

    async final(data) {
      assert.equal(data, hash(this.token, "Responder"), "the server knows the token, too");
    }
  }
  Object.assign(Mechanism.prototype, { name, clientFirst: true });
  return Mechanism;
}
