"""Pages that are run: the fenced blocks of Markdown, and what a reader who types them gets.

A block is run unless its page says why not, in the line before it:

    <!-- not run: needs Xcode -->

One that goes on while the next are typed, a server, stands below `<!-- goes on -->`.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.processes import LOOPBACK, free_port
from tests.servers import ROOT

DOCS = ROOT / "docs"
EXAMPLES = DOCS / "examples"
# Seconds for a whole page; a quiet machine takes a few.
PATIENCE = 300

# What pages name: the product, the sandbox alone, and something of the reader's own.
PORTS = (8080, 8081, 8099)
MARK = "== end of a block =="

# What is typed into a shell, or is a file of the reader's. The others show what comes back, or a picture.
SHELL = {"sh", "bash"}
CONFIGURATION = "python"
SHOWN = {"json", "text"}

_FENCE = re.compile(
    r"^(?P<indent> *)(?:<!-- (?P<mark>not run: [^\n]+|goes on) -->\n(?P=indent))?```(?P<language>[\w-]*)\n"
    r"(?P<text>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """A fenced block. `line` is where its text begins; `not_run` the reason, "" where it is run."""

    language: str
    text: str
    line: int
    not_run: str = ""
    goes_on: bool = False


def blocks(page: str) -> list[Block]:
    """The fenced blocks of a page, in its order."""
    return [_block(page, found) for found in _FENCE.finditer(page)]


def example_of(block: Block) -> str:
    """The name of the file of docs/examples that a block shows; "" for none."""
    return next((path.name for path in EXAMPLES.glob("*.py") if path.read_text() == block.text), "")


def _block(page: str, found: re.Match[str]) -> Block:
    mark, indent = found["mark"] or "", len(found["indent"])
    text = "".join(line[indent:] if line.strip() else line for line in found["text"].splitlines(True))
    line = page.count("\n", 0, found.start("text")) + 1
    reason = mark.removeprefix("not run: ") if mark.startswith("not run: ") else ""
    return Block(found["language"], text, line, reason, goes_on=mark == "goes on")


class Reader:
    """Does what a page says, block after block in one shell, in a folder of its own.

    Ports that a page names are others here, by `ports`.
    """

    def __init__(
        self,
        folder: Path,
        ports: Mapping[int, int] | None = None,
    ) -> None:
        self.folder = folder
        self.ports = {port: free_port() for port in PORTS} | dict(ports or {})
        (folder / "docs").symlink_to(DOCS)
        self._keyboard, self._keys = os.pipe()

    def reads(self, steps: Sequence[Block], keys: Mapping[str, str] | None = None) -> list[str]:
        """What each shell block printed; a command that fails ends the page, as it would a reader.

        Args:
            steps: the blocks that are typed.
            keys: what the page leaves to its reader, an account's secrets or where a server is, as
                `MESSENGER_*` keys.

        Raises:
            AssertionError: a block failed; it holds all that was printed.
        """
        script = "\n".join([self._prelude(), *map(self._typed, steps)])
        status, printed = self._run(script, keys or {})
        done = printed.count(f"{MARK}\n")
        assert status == 0, f"after {done} shell blocks, exit status {status}:\n{printed}{self._logs()}"
        return [each.strip("\n") for each in printed.split(f"{MARK}\n")][:-1]

    def types(self, line: str) -> None:
        """What a page has its reader type at `read`: something that only the reader gets."""
        os.write(self._keys, f"{line}\n".encode())

    def url(self, port: int) -> str:
        """Where what the page has at this port is here."""
        return f"http://{LOOPBACK}:{self.ports[port]}"

    def _prelude(self) -> str:
        product, sandbox = self.ports[8080], self.ports[8081]
        program = shlex.quote(str(Path(sys.executable).parent / "messenger-api"))
        return f"""
            set -eu
            messenger-api() {{
                case "$1" in
                    serve) shift; {program} serve --port {product} "$@" ;;
                    sandbox) shift; {program} sandbox --port {sandbox} "$@" ;;
                    *) {program} "$@" ;;
                esac
            }}
            answers() {{
                for n in $(seq 600); do
                    curl -s -o /dev/null "$1" && return
                    kill -0 $! || {{ cat goes-on.log; return 1; }}
                    sleep 0.1
                done
                return 1
            }}
        """

    def _typed(self, block: Block) -> str:
        if block.language == CONFIGURATION:
            name = example_of(block) or "config.py"
            return f"cat > {name} <<'END OF FILE'\n{self._with_ports(block.text)}END OF FILE"
        text = self._with_ports(block.text)
        if block.goes_on:
            port = self.ports[8081 if "sandbox" in block.text.split() else 8080]
            text = f"{{ {text.rstrip()} ; }} > goes-on.log 2>&1 &\nanswers http://{LOOPBACK}:{port}/healthz"
        return f"{text}\necho; echo '{MARK}'"

    def _with_ports(self, text: str) -> str:
        return re.sub(rf"\b({'|'.join(map(str, PORTS))})\b", lambda port: str(self.ports[int(port[0])]), text)

    def _logs(self) -> str:
        """What went on beside the blocks."""
        return "\n".join(log.read_text()[-4000:] for log in self.folder.glob("goes-on.log"))

    def _run(self, script: str, keys: Mapping[str, str]) -> tuple[int, str]:
        """Exit status and output; what the page left running has ended, by its process group."""
        machine = {key: value for key, value in os.environ.items() if not key.startswith("MESSENGER_")}
        environment = {**machine, "PYTHONUNBUFFERED": "1", **keys}
        output = self.folder / "printed.log"
        with output.open("wb") as printed:
            shell = subprocess.Popen(
                ["bash", "-c", script],
                cwd=self.folder,
                env=environment,
                stdin=self._keyboard,
                stdout=printed,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                status = shell.wait(PATIENCE)
            finally:
                _end_group(shell.pid)
                shell.wait()
                os.close(self._keys)
                os.close(self._keyboard)
        return status, output.read_text()


def _end_group(group: int) -> None:
    """End every process of a group that is left."""
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return
