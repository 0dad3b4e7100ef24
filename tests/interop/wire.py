"""An XMPP client as small as it can be, for tests that need a fast one: direct TLS, PLAIN, one element at a time, and
stanzas that are counted (XEP-0198).

What breaks ends in one of two exceptions: `Refused`, with the condition that the server named, or `Gone`, when the
connection is lost.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import itertools
import logging
import re
import ssl
from xml.etree import ElementTree
from xml.etree.ElementTree import Element
from xml.sax.saxutils import quoteattr

import stube

CLIENT = "{jabber:client}"
MANAGEMENT = "urn:xmpp:sm:3"
STANZA = re.compile(r"<(message|presence|iq)\b")

# What it warns of, writing to a lost connection, is what the tests are about.
logging.getLogger("asyncio").setLevel(logging.ERROR)


class Gone(Exception):
    """The connection is lost, and with it every answer that was awaited."""


class Refused(Exception):
    """The server's answer is an error; the text is its condition."""


def condition(error: Element) -> str:
    return error[0].tag.partition("}")[2] if len(error) else "unknown"


class Stream:
    """One connection. Messages are kept in `messages`, in the order in which they come.

    Once it is managed, `sent`, `acknowledged` and `received` count stanzas, and what the server asks is answered.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.messages: list[Element] = []
        self.ids = itertools.count(1)
        self.answers: dict[str, asyncio.Future[Element]] = {}
        self.negotiation: asyncio.Queue[Element | None] = asyncio.Queue()
        self.gone = False
        self.managed = False
        self.resumption = ""
        self.sent = self.acknowledged = self.received = 0
        self.listening = asyncio.create_task(self._listen())

    @classmethod
    async def open(cls, server: stube.Server) -> Stream:
        """Connects, and reads the features from before the login."""
        context = ssl.create_default_context(cafile=server.certificate)
        context.set_alpn_protocols(["xmpp-client"])
        try:
            connection = await asyncio.open_connection(
                "127.0.0.1", server.tls_port, ssl=context, server_hostname=stube.DOMAIN
            )
        except OSError as error:
            raise Gone from error
        stream = cls(*connection)
        await stream._restart()
        return stream

    async def authenticate(self, name: str, password: str) -> None:
        secret = base64.b64encode(f"\0{name}\0{password}".encode()).decode()
        self.send(f"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{secret}</auth>")
        outcome = await self._negotiated()
        if not outcome.tag.endswith("}success"):
            raise Refused(condition(outcome))
        await self._restart()

    async def bind(self) -> None:
        await self.ask("set", "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>")

    async def login(self, name: str, password: str) -> None:
        await self.authenticate(name, password)
        await self.bind()

    async def manage(self) -> None:
        """Counts from here on."""
        self.send(f"<enable xmlns='{MANAGEMENT}' resume='true'/>")
        enabled = await self._negotiated()
        if not enabled.tag.endswith("}enabled"):
            raise Refused(condition(enabled))
        self.resumption = enabled.get("id")

    async def resume(self, former: Stream) -> None:
        """Goes on with the session of another stream."""
        self.send(f"<resume xmlns='{MANAGEMENT}' previd='{former.resumption}' h='{former.received}'/>")
        outcome = await self._negotiated()
        if not outcome.tag.endswith("}resumed"):
            raise Refused(condition(outcome))

    def request(self) -> None:
        """Wants to know what has arrived."""
        self.send(f"<r xmlns='{MANAGEMENT}'/>")

    async def login_at_once(self, name: str, agent: str, password: str = "", token: str = "") -> str | None:
        """SASL2 with Bind 2, by the password or by a token (XEP-0484); gives the new token that has come, if one has."""
        if token:
            mechanism, wish = "HT-SHA-256-ENDP", "<fast xmlns='urn:xmpp:fast:0'/>"
            secret = name.encode() + b"\0" + self._proof(token, b"Initiator")
        else:
            mechanism, wish = "PLAIN", "<request-token xmlns='urn:xmpp:fast:0' mechanism='HT-SHA-256-ENDP'/>"
            secret = f"\0{name}\0{password}".encode()
        self.send(
            f"<authenticate xmlns='urn:xmpp:sasl:2' mechanism='{mechanism}'>"
            f"<initial-response>{base64.b64encode(secret).decode()}</initial-response>"
            f"<user-agent id={quoteattr(agent)}><software>wire.py</software></user-agent>"
            f"<bind xmlns='urn:xmpp:bind:0'/>{wish}</authenticate>"
        )
        outcome = await self._negotiated()
        if not outcome.tag.endswith("}success"):
            raise Refused(condition(outcome))
        if token:
            answer = base64.b64decode(outcome.findtext("{urn:xmpp:sasl:2}additional-data"))
            assert answer == self._proof(token, b"Responder"), "the server does not know the token"
        await self._negotiated()
        given = outcome.find("{urn:xmpp:fast:0}token")
        return None if given is None else given.get("token")

    def _proof(self, token: str, who: bytes) -> bytes:
        """draft-schmaus-kitten-sasl-ht, bound to the server's certificate (RFC 5929)."""
        certificate = self.writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        return hmac.digest(token.encode(), who + hashlib.sha256(certificate).digest(), "sha256")

    async def ask(self, kind: str, payload: str, to: str | None = None) -> Element:
        """Sends a request, and gives the content of its result."""
        number = str(next(self.ids))
        answer = self.answers[number] = asyncio.get_running_loop().create_future()
        self.send(f"<iq type='{kind}' id='{number}'{f' to={quoteattr(to)}' if to else ''}>{payload}</iq>")
        iq = await self._in_time(answer)
        if iq.get("type") == "error":
            raise Refused(condition(iq.find(f"{CLIENT}error")))
        return iq

    async def ping(self) -> None:
        await self.ask("get", "<ping xmlns='urn:xmpp:ping'/>", stube.DOMAIN)

    def send(self, text: str) -> None:
        if self.gone or self.writer.is_closing():
            raise Gone
        self.sent += self.managed and bool(STANZA.match(text))
        self.writer.write(text.encode())

    async def close(self) -> None:
        """Returns when the server has closed its side."""
        self.send("</stream:stream>")
        await self._in_time(self.listening)

    async def drop(self) -> None:
        """Whatever the state, the connection is over."""
        self.listening.cancel()
        self.writer.transport.abort()
        await asyncio.wait([self.listening])

    async def _restart(self) -> None:
        self.parser, self.depth = ElementTree.XMLPullParser(["start", "end"]), 0
        self.send(
            "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'"
            f" version='1.0' to='{stube.DOMAIN}'>"
        )
        await self._negotiated()

    async def _negotiated(self) -> Element:
        element = await self._in_time(self.negotiation.get())
        if element is None:
            raise Gone
        return element

    async def _in_time(self, awaitable):
        async with asyncio.timeout(stube.PATIENCE):
            return await awaitable

    async def _listen(self) -> None:
        try:
            while data := await self.reader.read(65536):
                self.parser.feed(data)
                for event, element in self.parser.read_events():
                    self._parsed(event, element)
        except (OSError, ElementTree.ParseError):
            pass
        finally:
            self._lost()

    def _parsed(self, event: str, element: Element) -> None:
        self.depth += 1 if event == "start" else -1
        if event == "start" or self.depth != 1:
            return
        self.received += self.managed and element.tag.startswith(CLIENT)
        if element.tag == f"{{{MANAGEMENT}}}a":
            self.acknowledged = int(element.get("h"))
        elif element.tag == f"{{{MANAGEMENT}}}r":
            if not self.gone and not self.writer.is_closing():
                self.send(f"<a xmlns='{MANAGEMENT}' h='{self.received}'/>")
        elif element.tag == f"{CLIENT}message":
            self.messages.append(element)
        elif element.tag == f"{CLIENT}iq" and element.get("type") in ("result", "error"):
            answer = self.answers.pop(element.get("id"), None)
            if answer and not answer.done():
                answer.set_result(element)
        elif element.tag not in (f"{CLIENT}iq", f"{CLIENT}presence"):
            self.managed |= element.tag == f"{{{MANAGEMENT}}}enabled"
            self.negotiation.put_nowait(element)

    def _lost(self) -> None:
        self.gone = True
        self.writer.close()
        self.negotiation.put_nowait(None)
        for answer in self.answers.values():
            if not answer.done():
                answer.set_exception(Gone())
