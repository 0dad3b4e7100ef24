"""A server that stops and starts again, and clients that fall silent."""

from __future__ import annotations

import asyncio
import unittest

from case import DOMAIN, PASSWORD, TIMEOUT, Case
from slixmpp import JID
from wire import Stream


class Restart(Case):
    async def test_clients_are_told_of_the_end_and_find_everything_after_it(self) -> None:
        romeo, juliet = await self.friends()
        absent = JID(f"{self.account()}@{DOMAIN}")
        romeo.send_message(mto=absent, mbody="for later", mtype="chat")
        await romeo.all_came()
        stopping = asyncio.to_thread(self.server.stop)
        _, *endings = await asyncio.gather(stopping, romeo.ending(), juliet.ending())
        self.assertEqual(endings, ["system-shutdown", "system-shutdown"])

        self.server.start()
        again = await self.online(romeo.boundjid.user)
        await self.online(juliet.boundjid.user, resource="balcony")
        await again.presence("available", JID(f"{juliet.boundjid.bare}/balcony"))
        await (await self.online(absent.user)).message("for later")


class Silence(Case):
    tables = "[limits]\nidle_seconds = 1\nping_seconds = 1"

    async def test_silent_client_is_cut_off_and_one_that_answers_pings_is_not(self) -> None:
        answering = await self.online()
        silent = await Stream.open(self.server)  # which answers nothing
        await silent.login(self.account(), PASSWORD)
        async with asyncio.timeout(TIMEOUT):
            await silent.listening
        await answering.all_came()
        self.assertFalse(answering.ended.done())


if __name__ == "__main__":
    unittest.main()
