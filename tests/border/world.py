"""A machine and the world around it: two network namespaces and a cable, without a name and gone with their holders."""

import json
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Self

SBIN = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
MACHINE = ("10.77.0.1", "fd77::1")
"""The machine's own addresses."""
AROUND = "10.77.0.2"
"""Somebody at the other end of the cable."""

LISTEN = """
import json, os, select, socket, sys
order = json.load(sys.stdin)
os.setgroups([]); os.setresgid(*[order["uid"]] * 3); os.setresuid(*[order["uid"]] * 3)
poll, tcp, udp = select.poll(), {}, {}
for name, found in (("tcp", tcp), ("udp", udp)):
    for host, port in order[name]:
        one = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET,
                            socket.SOCK_STREAM if name == "tcp" else socket.SOCK_DGRAM)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.bind((host, port))
        if name == "tcp":
            one.listen(64)
        found[one.fileno()] = one
        poll.register(one, select.POLLIN)
print("ready", flush=True)
while True:
    for handle, _ in poll.poll():
        if handle in tcp:
            tcp[handle].accept()[0].close()
        else:
            said, address = udp[handle].recvfrom(64)
            udp[handle].sendto(b"here", address)
"""
"""Accepts and hangs up; answers datagrams. Reads its order from the standard input, and says when it listens."""


class World:
    """`machine` and `around` are the process ids of two network namespaces; a cable lies between them."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self.machine = self._namespace()
        self.around = self._namespace()
        self._ip(
            self.machine, "link", "add", "cable", "type", "veth", "peer", "name", "cable", "netns", str(self.around)
        )
        for pid, addresses in ((self.machine, MACHINE), (self.around, (AROUND, "fd77::2"))):
            self._ip(pid, "link", "set", "lo", "up")
            self.addresses(pid, addresses)
            self._ip(pid, "link", "set", "cable", "up")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def path(self, pid: int) -> str:
        """Where one of the two can be entered."""
        return f"/proc/{pid}/ns/net"

    def addresses(self, pid: int, addresses: Iterable[str]) -> None:
        """Addresses at this end of the cable."""
        for one in addresses:
            long = "64" if ":" in one else "16"
            self._ip(pid, "addr", "add", f"{one}/{long}", "dev", "cable", *(["nodad"] if ":" in one else []))

    def come_from(self, address: str) -> None:
        """From now on who is around comes to the machine from this one of the addresses there."""
        self._ip(self.around, "route", "replace", MACHINE[0], "dev", "cable", "src", address)

    def refused(self, chain: str) -> int:
        """Packets that this chain has refused since the rules were loaded."""
        told = subprocess.run(
            self.inside(self.machine, "/usr/sbin/nft", "list", "chain", "inet", "strongroom", chain),
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        return sum(int(one) for one in re.findall(r"counter packets ([0-9]+)", told.stdout))

    def inside(self, pid: int, *command: str | Path) -> list[str]:
        """The command, to be run in there."""
        return ["/usr/bin/nsenter", "-t", str(pid), "-n", "--", *map(str, command)]

    def load(self, rules: str) -> None:
        """Put rules into the machine's kernel."""
        subprocess.run(self.inside(self.machine, "/usr/sbin/nft", "-f", "-"), input=rules, text=True, check=True)

    def listen(
        self, pid: int, uid: int, tcp: Iterable[tuple[str, int]], udp: Iterable[tuple[str, int]] = (), *, program: str = LISTEN,
        more: Mapping[str, object] | None = None,
    ) -> None:  # fmt: skip
        """Have somebody listen, until the world ends."""
        process = subprocess.Popen(
            self.inside(pid, sys.executable, "-S", "-c", program),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._stack.callback(_end, process)
        assert process.stdin is not None
        process.stdin.write(json.dumps({"uid": uid, "tcp": list(tcp), "udp": list(udp), **(more or {})}))
        process.stdin.close()
        assert _line(process.stdout) == "ready"

    def _namespace(self) -> int:
        """Kept by a process that ends when we do."""
        holder = subprocess.Popen(
            ["/usr/bin/unshare", "-n", "/bin/sh", "-c", "echo ready; exec cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True,
        )  # fmt: skip
        self._stack.callback(_end, holder)
        assert _line(holder.stdout) == "ready"
        return holder.pid

    def _ip(self, pid: int, *words: str) -> None:
        subprocess.run(self.inside(pid, "/usr/sbin/ip", *words), check=True)


def _line(stream: IO[str] | None) -> str:
    assert stream is not None
    return stream.readline().strip()


def _end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout):
        if stream is not None and not stream.closed:
            stream.close()
