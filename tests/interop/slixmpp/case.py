"""What the tests with slixmpp share: a server for a class, new accounts for a test, a client that keeps what comes."""

from __future__ import annotations

import asyncio
import itertools
import logging
import ssl
import sys
import unittest
from collections.abc import Callable
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))

import stube
from slixmpp import ClientXMPP, JID
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import StanzaPath
from slixmpp.xmlstream.stanzabase import StanzaBase

# What a failed login or a closed stream makes the library say is what those tests are about.
logging.getLogger("slixmpp").setLevel(logging.CRITICAL)

DOMAIN = stube.DOMAIN
PASSWORD = "r0m30 & jul13t"
PLUGINS = ["xep_0012", "xep_0030", "xep_0049", "xep_0050", "xep_0054", "xep_0077", "xep_0092", "xep_0133"]
PLUGINS += ["xep_0191", "xep_0199", "xep_0202", "xep_0203"]

# The library blocks its IQs for ever otherwise.
TIMEOUT = stube.PATIENCE


class Refused(Exception):
    """The server did not let a client in; the text is the condition of its answer."""


class Client(ClientXMPP):
    """Keeps every message, presence and roster push until a test asks for it, and answers nothing by itself."""

    def __init__(self, server: stube.Server, name: str, password: str = PASSWORD, *, resource: str = "",
                 mechanism: str | None = None, direct_tls: bool = False) -> None:
        address = f"{name}@{DOMAIN}/{resource}" if resource else f"{name}@{DOMAIN}"
        # The library's own context reads the system's certificates first, which takes longer than the login.
        trusting = ssl.create_default_context(cafile=server.certificate)
        super().__init__(JID(address), password, sasl_mech=mechanism, ssl_context=trusting)
        self.stube = server
        self.enable_direct_tls, self.enable_starttls = direct_tls, not direct_tls
        self.auto_authorize, self.auto_subscribe = None, False
        for plugin in PLUGINS:
            self.register_plugin(plugin)
        self.inbox: list[StanzaBase] = []
        self.news = asyncio.Event()
        for path in ["message", "presence", "iq@type=set"]:
            self.register_handler(Callback(f"inbox {path}", StanzaPath(path), self._keep))
        self.outcome: asyncio.Future = asyncio.get_running_loop().create_future()
        self.ended: asyncio.Future = asyncio.get_running_loop().create_future()
        self.add_event_handler("session_start", lambda _: self._decide(None))
        self.add_event_handler("failed_auth", lambda failure: self._decide(Refused(failure["condition"])))
        self.add_event_handler("disconnected", lambda why: self._decide(Refused(str(why))))
        self.add_event_handler("stream_error", lambda error: self._end(error["condition"]))
        self.add_event_handler("disconnected", lambda _: self._end(None))

    def _keep(self, stanza: StanzaBase) -> None:
        self.inbox.append(stanza)
        self.news.set()

    def _decide(self, refusal: Refused | None) -> None:
        if not self.outcome.done():
            self.outcome.set_exception(refusal) if refusal else self.outcome.set_result(None)

    def _end(self, condition: str | None) -> None:
        if not self.ended.done():
            self.ended.set_result(condition)

    async def login(self) -> Client:
        """Binds a resource, or raises why not."""
        port = self.stube.tls_port if self.enable_direct_tls else self.stube.port
        self.connect("127.0.0.1", port)
        async with asyncio.timeout(TIMEOUT):
            await self.outcome
        return self

    async def online(self, priority: int = 0) -> Client:
        """Logs in, takes the roster and becomes available."""
        await self.login()
        await self.get_roster()
        self.send_presence(ppriority=priority)
        await self.receive(lambda stanza: stanza.name == "presence" and stanza["from"] == self.boundjid)
        return self

    async def receive(self, wanted: Callable[[StanzaBase], bool]) -> StanzaBase:
        """Takes the first such stanza out of what came, or waits for it."""
        try:
            async with asyncio.timeout(TIMEOUT):
                while True:
                    for stanza in self.inbox:
                        if wanted(stanza):
                            self.inbox.remove(stanza)
                            return stanza
                    self.news.clear()
                    await self.news.wait()
        except TimeoutError:
            inbox = "\n".join(map(str, self.inbox))
            raise AssertionError(f"{self.boundjid} did not get it, but this:\n{inbox}") from None

    async def message(self, body: str) -> StanzaBase:
        return await self.receive(lambda stanza: stanza.name == "message" and stanza["body"] == body)

    async def presence(self, kind: str, sender: object) -> StanzaBase:
        return await self.receive(
            lambda stanza: stanza.name == "presence" and stanza["type"] == kind and stanza["from"] == sender
        )

    async def push(self, contact: JID, **wanted: object) -> dict:
        """The roster push in which the contact's item has these values; gives the whole item."""

        def item(stanza: StanzaBase) -> dict:
            return stanza["roster"]["items"].get(contact, {}) if stanza.name == "iq" else {}

        return item(await self.receive(lambda stanza: bool(item(stanza)) and wanted.items() <= item(stanza).items()))

    async def all_came(self) -> list[StanzaBase]:
        """What is left of what the server had for us before it answered a ping."""
        await self.plugin["xep_0199"].send_ping(JID(DOMAIN))
        return self.inbox

    async def leave(self) -> None:
        await self.disconnect(wait=1)
        await asyncio.sleep(0)  # a turn of the loop in which the socket is closed

    async def ending(self) -> str | None:
        """The condition of the stream error with which the server ends this session."""
        async with asyncio.timeout(TIMEOUT):
            return await self.ended


class Case(unittest.IsolatedAsyncioTestCase):
    """One server for all tests of a class."""

    keys = ""
    tables = ""
    names = itertools.count(1)

    @classmethod
    def setUpClass(cls) -> None:
        cls.server = cls.enterClassContext(stube.Server(cls.keys, cls.tables))

    async def asyncSetUp(self) -> None:
        asyncio.get_running_loop().set_debug(False)  # which `unittest` switches on, and which is slow

    def run(self, result: unittest.TestResult | None = None) -> unittest.TestResult | None:
        outcome = super().run(result)
        if result and any(test is self for test, _ in result.failures + result.errors):
            print(f"--- the server's log at the end of {self.id()}\n{self.server.log()}---", file=sys.stderr)
        return outcome

    def account(self, password: str = PASSWORD) -> str:
        """A new account's name."""
        name = f"{self._testMethodName[5:25]}-{next(self.names)}"
        self.server.add_user(name, password)
        return name

    def client(self, name: str, password: str = PASSWORD, **options) -> Client:
        """Not yet connected; disconnected when the test is over."""
        client = Client(self.server, name, password, **options)
        self.addAsyncCleanup(client.leave)
        return client

    async def login(self, name: str, password: str = PASSWORD, **options) -> Client:
        return await self.client(name, password, **options).login()

    async def online(self, name: str | None = None, *, resource: str = "", priority: int = 0) -> Client:
        return await self.client(name or self.account(), resource=resource).online(priority)

    async def friends(self) -> tuple[Client, Client]:
        """Two people who see each other's presence."""
        one, other = await self.online(), await self.online()
        for asking, asked in [(one, other), (other, one)]:
            asking.send_presence(pto=asked.boundjid.bare, ptype="subscribe")
            await asked.presence("subscribe", asking.boundjid.bare)
            asked.send_presence(pto=asking.boundjid.bare, ptype="subscribed")
            await asking.presence("available", asked.boundjid)
        for person in (one, other):
            await person.all_came()
            person.inbox.clear()
        return one, other
