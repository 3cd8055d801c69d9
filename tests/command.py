"""Calling the console command, and what it says."""

import sys
from pathlib import Path
from typing import NamedTuple, Protocol

from tests.builders import Json, text

COMMAND = Path(sys.executable).parent / "visitcue"


class Done(NamedTuple):
    """How a call ended, and what it printed."""

    status: int
    out: str
    err: str

    def one_line(self) -> str:
        """What a command says that could not do its work: one line on standard error, and status 2."""
        assert (self.status, self.out) == (2, ""), self
        assert "Traceback" not in self.err
        (line,) = self.err.strip().splitlines()
        return line


class Run(Protocol):
    """A call with these words, as a shell would make it."""

    def __call__(self, *words: str) -> Done: ...


def save(name: str, value: Json | bytes) -> str:
    """Writes a file into the current folder and gives its name back."""
    Path(name).write_bytes(value if isinstance(value, bytes) else text(value))
    return name
