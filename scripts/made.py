"""What the scripts share that make files from the code: `scripts/make-*`, which `make fix` runs.

.venv/bin/python scripts/make-NAME            writes its files
.venv/bin/python scripts/make-NAME --check    names those that are not as the code has it, and fails
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOOKUP = ROOT / "docs" / "lookup"
sys.path.insert(0, str(ROOT))


def write(files: Mapping[Path, str]) -> None:
    """Write files, or with --check look whether they hold these texts."""
    if sys.argv[1:] != ["--check"]:
        for path, text in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return
    stale = [path for path, text in files.items() if not path.is_file() or path.read_text() != text]
    if stale:
        names = (path.relative_to(ROOT) for path in stale)
        sys.exit("\n".join(f"run make fix: {name} is not as the code has it" for name in names))


def table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """A table of Markdown, and an empty line."""
    yield f"| {' | '.join(heads)} |"
    yield "|" + "---|" * len(heads)
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"
    yield ""


def first_sentence(thing: object) -> str:
    """What the docstring of a class or function begins with."""
    return re.split(r"(?<=\.)\s", " ".join((inspect.getdoc(thing) or "").split()))[0]
