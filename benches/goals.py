#!/usr/bin/env python3
"""JSON lines of xload for stube and for the bare relay -> what was measured beside what must and should be reached.

The goals were set on a machine where the relay cost what stands under THEN. Absolute figures drift from machine to
machine and from day to day, so a goal of processor time counts in units of the relay of the same sitting.
"""
import json
import statistics
import sys

GOALS = [  # scenario, selection, metric, scale, digits, what, must, should
    ("start", {}, "first_features_s", 1000, 1, "start to first stream features, ms", 15, 8),
    ("start", {}, "rss_kib", 1 / 1024, 1, "resident memory, idle, 2,000 accounts in the store, MiB", 8, 5),
    ("connect", {}, "kib_per_session", 1, 1, "memory an idle session, KiB", 16, 11),
    ("connect", {"clients": 2000}, "after_logout", 1 / 1024, 1, "memory after 2,000 logouts, over the start's, MiB", 6, 3),
    ("connect", {}, "cpu_ms_per_login", 1, 2, "CPU a login, ms", 0.4, 0.2),
    ("chat", {"mode": "no-store", "rate": 0}, "cpu_us_per_delivery_settled", 1, 1, "chat, routing alone, saturated, CPU µs a message", 8, 5),
    ("chat", {"mode": "no-store", "rate": 200}, "cpu_us_per_delivery", 1, 0, "the same at 200 messages a second", 60, 40),
    ("chat", {"mode": "archive", "rate": 0}, "cpu_us_per_delivery_settled", 1, 1, "chat, archived on both sides and committed, saturated, CPU µs a message", 15, 9),
    ("chat", {"mode": "archive", "rate": 0}, "per_s", 1, 0, "the same, messages a second (the tool on the same cores)", -60000, -100000),
    ("chat", {"mode": "archive", "rate": 200}, "p50_ms", 1, 2, "the same at 200 a second, p50 ms", 0.3, 0.15),
    ("chat", {"mode": "archive", "rate": 200}, "p99_ms", 1, 1, "the same at 200 a second, p99 ms", 3, 1),
    ("muc", {"occupants": 100}, "cpu_us_per_delivery", 1, 1, "room of 100, archived, CPU µs a delivery", 7, 4.5),
    ("muc", {"occupants": 100}, "join_cpu_ms", 1, 2, "join of a room of 100, CPU ms", 0.8, 0.4),
    ("presence", {}, "cpu_us_per_delivery", 1, 1, "presence, CPU µs a delivery", 9, 6),
    ("mam", {}, "cpu_ms_per_page", 1, 2, "archive page of 50 out of 5,000, CPU ms", 0.2, 0.1),
    ("disk", {}, "bytes_per_msg", 1, 0, "disk, bytes a message kept in two archives (100-byte body)", 900, 500),
    ("offline", {}, "cpu_us_per_msg_settled", 1, 0, "offline message, CPU µs", 20, 12),
    ("setup", {}, "cpu_ms_per_account", 1, 2, "registration by IBR, CPU ms (PBKDF2 is most of it)", None, None),
]


THEN = {  # the relay's cost when the goals were set: scenario, selection, metric, scale, cost
    "CPU a login, ms": ("floor-idle", {}, "cpu_ms_per_handshake", 1, 0.08),
    "chat, routing alone, saturated, CPU µs a message": ("floor-relay", {"window": 8, "rate": 0}, "cpu_us_per_delivery", 1, 3.1),
    "the same at 200 messages a second": ("floor-relay", {"rate": 200}, "cpu_us_per_delivery", 1, 20),
    "chat, archived on both sides and committed, saturated, CPU µs a message": ("floor-relay", {"window": 8, "rate": 0}, "cpu_us_per_delivery", 1, 3.1),
    "archive page of 50 out of 5,000, CPU ms": ("floor-relay", {"window": 8, "rate": 0}, "cpu_us_per_delivery", 1, 3.1),
    "offline message, CPU µs": ("floor-relay", {"window": 8, "rate": 0}, "cpu_us_per_delivery", 1, 3.1),
    "room of 100, archived, CPU µs a delivery": ("floor-relay", {"window": 8, "rate": 0}, "cpu_us_per_delivery", 1, 3.1),
    "join of a room of 100, CPU ms": ("floor-relay", {"window": 8, "rate": 0}, "cpu_us_per_delivery", 1, 3.1),
    "presence, CPU µs a delivery": ("floor-relay", {"window": 8, "rate": 0}, "cpu_us_per_delivery", 1, 3.1),
}


def median(lines: list[dict], server: str, scenario: str, selection: dict, metric: str, scale: float) -> float | None:
    values = [
        line[metric] * scale
        for line in lines
        if line["scenario"] == scenario and line["server"] == server and all(line.get(k) == v for k, v in selection.items())
    ]
    return statistics.median(values) if values else None


def main() -> None:
    lines = [json.loads(line) for path in sys.argv[1:] for line in open(path) if line.startswith("{")]
    for line in lines:
        if line["scenario"] == "connect":
            line["after_logout"] = line["rss_kib_after_logout"] - line["rss_kib_before"]
    # What must be more stands with a minus.
    bound = lambda goal: "" if goal is None else f"≤ {goal:g}" if goal > 0 else f"≥ {-goal:g}"
    print("| | must | should | measured | must, in relays | measured, in relays |")
    print("|---|---:|---:|---:|---:|---:|")
    for scenario, selection, metric, scale, digits, what, must, should in GOALS:
        measured = median(lines, "stube", scenario, selection, metric, scale)
        cell = "not measured" if measured is None else f"**{measured:.{digits}f}**"
        row = f"| {what} | {bound(must)} | {bound(should)} | {cell} |"
        relay = None
        if what in THEN and must is not None:
            *where, then = THEN[what]
            relay = median(lines, "floor", *where)
        if relay and measured is not None:
            row += f" ≤ {must / then:.1f} | **{measured / relay:.1f}** |"
        else:
            row += " | |"
        print(row)


main()
