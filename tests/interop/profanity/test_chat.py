"""Two people with profanity, each at a terminal: what they type, and what their screens show."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import unittest
from collections.abc import Callable
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))

import stube


class Terminal:
    """A profanity that has never run before, in a tmux of its own."""

    def __init__(self) -> None:
        self.home = tempfile.TemporaryDirectory(prefix="stube-profanity-")
        self.tmux = ["tmux", "-S", f"{self.home.name}/tmux", "-f", "/dev/null"]
        for directory in ["config/profanity", "data"]:
            Path(self.home.name, directory).mkdir(parents=True)

    def __enter__(self) -> Terminal:
        environment = os.environ | {
            "HOME": self.home.name,
            "XDG_CONFIG_HOME": f"{self.home.name}/config",
            "XDG_DATA_HOME": f"{self.home.name}/data",
            "LC_ALL": "C.UTF-8",
            "TMUX": "",
        }
        size = ["-x", "160", "-y", "60"]
        subprocess.run([*self.tmux, "new-session", "-d", *size, "profanity"], env=environment, check=True)
        self.shows("Type '/help' to show complete help")
        self.type("/occupants hide", "/roster hide", "/intype off", "/splash off")
        return self

    def __exit__(self, kind, *_) -> None:
        if kind:
            print(f"--- the screen\n{self.screen()}\n---", file=sys.stderr)
        subprocess.run([*self.tmux, "kill-server"], stderr=subprocess.DEVNULL, check=False)
        self.home.cleanup()

    def quit(self) -> None:
        """The screen is gone with the program."""
        self.type("/quit")
        self.wait_until(lambda: not self.screen(), "profanity does not end")

    def type(self, *lines: str) -> None:
        for line in lines:
            subprocess.run([*self.tmux, "send-keys", "-l", line], check=True)
            subprocess.run([*self.tmux, "send-keys", "Enter"], check=True)

    def shows(self, text: str) -> None:
        self.wait_until(lambda: text in self.screen(), f"the screen does not show {text!r}")

    def screen(self) -> str:
        shown = subprocess.run([*self.tmux, "capture-pane", "-p", "-J"], capture_output=True, text=True, check=False)
        return shown.stdout.rstrip()

    def wait_until(self, reached: Callable[[], bool], complaint: str) -> None:
        deadline = time.monotonic() + stube.PATIENCE
        while not reached():
            if time.monotonic() > deadline:
                raise AssertionError(complaint)
            time.sleep(0.05)

    def connect(self, name: str, password: str, options: str) -> None:
        self.type(f"/connect {name}@{stube.DOMAIN} server 127.0.0.1 {options}")
        self.shows("Enter password:")
        self.type(password)


class Chat(unittest.TestCase):
    def test_two_people_meet_and_chat(self) -> None:
        with stube.Server() as server, Terminal() as romeo, Terminal() as juliet:
            server.add_user("romeo", "montague")
            server.add_user("juliet", "capulet")
            self.meet_and_chat(server, romeo, juliet)

    def meet_and_chat(self, server: stube.Server, romeo: Terminal, juliet: Terminal) -> None:
        # One is asked whether to trust the certificate, the other has been told so.
        romeo.connect("romeo", "montague", f"port {server.port}")
        romeo.shows("TLS certificate verification failed")
        romeo.type("/tls allow")
        romeo.shows("logged in successfully")
        juliet.connect("juliet", "capulet", f"port {server.tls_port} tls legacy")
        juliet.shows("TLS certificate verification failed")
        juliet.type("/tls always")
        juliet.shows("logged in successfully")

        romeo.type("/roster add juliet@localhost Juliet")
        romeo.shows("Roster item added: juliet@localhost (Juliet)")
        romeo.type("/sub request juliet@localhost")
        juliet.shows("Received authorization request from romeo@localhost")
        juliet.type("/sub allow romeo@localhost", "/sub request romeo@localhost")
        romeo.shows("Received authorization request from juliet@localhost")
        romeo.type("/sub allow juliet@localhost")
        juliet.shows("++ romeo@localhost")
        romeo.type("/roster")
        romeo.shows("juliet@localhost (Juliet) - both")

        romeo.type("/msg juliet@localhost O, speak again, bright angel!")
        juliet.shows("<< chat message: romeo@localhost")
        juliet.type("/win 2")
        juliet.shows("O, speak again, bright angel!")
        juliet.type("Wherefore art thou Romeo? \u2665 <&>")
        romeo.shows("Wherefore art thou Romeo? \u2665 <&>")
        juliet.type('/status set away "on the balcony"')
        romeo.shows("Juliet [away]")
        romeo.type("/win 1", "/status get Juliet")
        romeo.shows('"on the balcony"')

        romeo.type("/disconnect")
        juliet.shows("romeo@localhost [offline]")
        juliet.type("Three words, dear Romeo")
        juliet.shows("me: Three words, dear Romeo")
        romeo.connect("romeo", "montague", f"port {server.port} tls trust")
        romeo.shows("<< chat message: Juliet")
        romeo.type("/win 2")
        romeo.shows("Three words, dear Romeo")

        romeo.quit()
        juliet.quit()

    def test_two_people_talk_in_a_room(self) -> None:
        with stube.Server() as server, Terminal() as romeo, Terminal() as juliet:
            server.add_user("romeo", "montague")
            server.add_user("juliet", "capulet")
            self.talk_in_a_room(server, romeo, juliet)

    def talk_in_a_room(self, server: stube.Server, romeo: Terminal, juliet: Terminal) -> None:
        for person, name, password in [(romeo, "romeo", "montague"), (juliet, "juliet", "capulet")]:
            person.connect(name, password, f"port {server.port} tls trust")
            person.shows("logged in successfully")
        romeo.type("/presence room all")
        room = f"verona@conference.{stube.DOMAIN}"
        romeo.type(f"/join {room}")
        romeo.shows("requires configuration")
        romeo.type("/room accept")
        romeo.shows("unlocked")
        juliet.type(f"/join {room}")
        juliet.shows("You have joined the room as juliet")
        romeo.shows("juliet has joined the room")
        romeo.type("What's in a name?")
        juliet.shows("romeo: What's in a name?")
        juliet.type("That which we call a rose \u2665")
        romeo.shows("juliet: That which we call a rose \u2665")
        romeo.type('/subject set "Balcony"')
        juliet.shows("romeo has set the room subject: Balcony")
        juliet.type("/nick capulet")
        romeo.shows("juliet is now known as capulet")
        romeo.type("/kick capulet good night")
        juliet.shows("reason: good night")
        juliet.type(f"/join {room}")
        romeo.shows("juliet has joined the room")
        romeo.type("/affiliation set member juliet@localhost")
        romeo.shows("juliet's affiliation has been changed to: member, by: romeo")
        romeo.type("/room destroy")
        juliet.shows("destroyed")
        romeo.quit()
        juliet.quit()

    def test_somebody_registers_and_logs_in(self) -> None:
        with stube.Server('registration = "open"') as server, Terminal() as newcomer:
            newcomer.type(f"/register mercutio {stube.DOMAIN} port {server.port} tls trust")
            for prompt in ["Enter password:", "Confirm password:"]:
                newcomer.shows(prompt)
                newcomer.type("queen mab")
            newcomer.shows("Registration successful")
            newcomer.connect("mercutio", "queen mab", f"port {server.port} tls trust")
            newcomer.shows("logged in successfully")
            newcomer.quit()


if __name__ == "__main__":
    unittest.main()
