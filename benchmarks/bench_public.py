"""Many readers of the public pages at once, beside the same number of readers of one ready file.

Run as ``python -m benchmarks.bench_public [INSTANCE]`` on an instance that ``saferground demo``
set up. The server is a process of its own with the threads that ``saferground serve`` uses; the
readers share the other core with it, so only ratios tell.
"""

from __future__ import annotations

import asyncio
import os
import socket
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field
from urllib.request import urlopen

READERS, SECONDS = 200, 60.0
PAGES = (
    "/",
    "/map",
    "/zones/",
    "/zones/?district=D3&sort=area",
    "/measures/",
    "/measures/?period=ytd&district=D2",
    "/measures/alerts.published_60s.trigger",
    "/measures/alerts.count?by=week&lang=es",
    "/initiatives/",
    "/accountability/",
    "/data/",
    "/methods/?lang=es",
    "/api/v1/measures",
)
TAIL_S = 30.0


@dataclass
class Tally:
    """Seconds of every answer, and what went wrong."""

    seconds: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def told(self, took: float) -> str:
        """Say throughput and how long answers took."""
        cuts = statistics.quantiles(self.seconds, n=100)
        return (
            f"{len(self.seconds):,} answers, {len(self.seconds) / took:.0f} a second, median "
            f"{cuts[49]:.2f} s, 95th percentile {cuts[94]:.2f} s, {len(self.faults)} errors"
        )


async def _answer(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str
) -> tuple[int, bool]:
    """Ask for a path and read the whole answer; give its status and whether the line stays."""
    writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: br\r\n\r\n".encode())
    await writer.drain()
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    length = int(head.partition("content-length: ")[2].split("\r\n")[0])
    await reader.readexactly(length)
    return int(head.split()[1]), "connection: close" not in head


async def _reader(
    port: int, paths: tuple[str, ...], start: int, until: float, tally: Tally
) -> None:
    place, line = start, None
    while time.monotonic() < until:
        path, began = paths[place % len(paths)], time.monotonic()
        place += 1
        try:
            line = line or await asyncio.open_connection("127.0.0.1", port)
            status, stays = await asyncio.wait_for(_answer(*line, path), TAIL_S)
            if status != 200:
                tally.faults.append(f"{path}: {status}")
            if not stays:
                line[1].close()
                line = None
        except (OSError, asyncio.IncompleteReadError, TimeoutError) as error:
            tally.faults.append(f"{path}: {error!r}")
            line = None
        tally.seconds.append(time.monotonic() - began)
    if line is not None:
        line[1].close()


async def _all(port: int, paths: tuple[str, ...]) -> tuple[Tally, float]:
    tally, began = Tally(), time.monotonic()
    until = began + SECONDS
    await asyncio.gather(*(_reader(port, paths, i, until, tally) for i in range(READERS)))
    return tally, time.monotonic() - began


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main(instance: str) -> None:
    """Measure the pages, then one ready file of about the size of a page."""
    port = _free_port()
    command = [sys.executable, "-m", "app.cli", "serve", "--port", str(port), "--public"]
    server = subprocess.Popen(command, env={**os.environ, "SAFERGROUND_INSTANCE": instance})
    try:
        for _ in range(100):
            try:
                with urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as answer:
                    answer.read()
                break
            except OSError:
                time.sleep(0.3)
        ready = ("/static/map.js",)
        for name, paths in (("one ready file", ready), ("pages", PAGES)):
            tally, took = asyncio.run(_all(port, paths))
            print(f"{name}: {tally.told(took)}")
            for fault in tally.faults[:5]:
                print(f"  {fault}")
    finally:
        server.terminate()
        server.wait(10)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "instance")
