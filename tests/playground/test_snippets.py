"""The playground's programs make the call that they were written from, in each encoding, with any text.

curl, Python, PHP and JavaScript (in Chromium) are run; Kotlin and Swift cannot be here, and their texts are
read by a parser of each language's literals.
"""

from __future__ import annotations

import subprocess
import sys
from ast import literal_eval
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.playground.echo import API, Echo, serving
from tests.playground.literals import literals
from tests.product import jpeg

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.server

ENCODINGS = ("get", "form", "parts", "json")
ODD = (
    *(
        "",
        " ",
        "plain",
        "two\nlines",
        "\ttab\t",
        "trailing\\",
        "\\n \\u0041 \\(x) \\$",
        "\\\\",
        '"',
        "'",
        '"""',
        "'''",
    ),
    *(
        "'; id; '",
        "`id` $(id) ${HOME} $HOME {$x} #{x} %s %41 %",
        "a+b&c=d?e#f;g",
        "@/etc/passwd",
        "</etc/passwd",
    ),
    *(
        "x;type=text/html",
        "[1,2]",
        "null",
        "true",
        "12",
        "-0",
        "007",
        "<b>&amp;</b></script>",
        "é ß 漢字",
        "👩‍👩‍👧‍👦 🇩🇪 😀",
    ),
    *(
        "\u202eright\u2066to left",
        "line\u2028and\u2029paragraph",
        "bell\x07 escape\x1b[0m",
        "\u200d\ufeff",
        "\U000e0041",
    ),
)
PHOTO = {"field": "photo", "name": "photo.jpg", "type": "image/jpeg"}
WRITE = """async ([url, encoding, given, file]) => {
  const { request } = await import("/ops-request.js");
  const { LANGUAGES, written } = await import("/ops-snippets.js");
  const call = request(url, encoding, given, file);
  return Object.fromEntries(Object.keys(LANGUAGES).map((language) => [language, written(language, call)]));
}"""
RUN = """async (photo) => {
  const console = { log() {} };
  const file = new File([Uint8Array.from(photo)], "photo.jpg", { type: "image/jpeg" });
  const document = { querySelector: () => ({ files: [file] }) };
  %s
}"""
LITERALS = """async ([language, texts]) => {
  const { LANGUAGES } = await import("/ops-snippets.js");
  return texts.map(LANGUAGES[language].text);
}"""

Given = list[dict[str, str]]


@pytest.fixture(scope="module")
def echo() -> Iterator[Echo]:
    with serving() as server:
        yield server


@pytest.fixture(scope="module")
def page(browser: Browser, echo: Echo) -> Iterator[Page]:
    context = browser.new_context()
    opened = context.new_page()
    opened.goto(echo.url)
    yield opened
    context.close()


def odd_call() -> Given:
    """A call that has every odd text, and a number and lists."""
    texts = [{"name": f"f{n}", "text": text, "type": "text"} for n, text in enumerate(ODD)]
    numbers = [
        {"name": f"n{n}", "text": text, "type": "number"} for n, text in enumerate(("0", "-7", "x", "1" * 16))
    ]
    lists = [
        {"name": "phones", "text": "1, '2', $3", "type": "list"},
        {"name": "m", "text": "", "type": "list"},
    ]
    return [{"name": "op", "text": "profile", "type": "text"}, *texts, *numbers, *lists]


def write(page: Page, echo: Echo, encoding: str, given: Given, *, file: bool = False) -> dict[str, str]:
    """The programs, by language."""
    programs: dict[str, str] = page.evaluate(
        WRITE, [echo.url + API, encoding, given, PHOTO if file else None]
    )
    return programs


def expected(encoding: str, given: Given) -> dict[str, object]:
    """The fields as the product should read them."""
    found: dict[str, object] = {}
    for one in given:
        text = one["text"]
        found[one["name"]] = text
        if encoding == "json" and one["type"] == "number" and text in ("0", "-7"):
            found[one["name"]] = int(text)
        if encoding == "json" and one["type"] == "list":
            entries: list[str] = list(filter(None, map(str.strip, text.split(","))))
            found[one["name"]] = entries[0] if len(entries) == 1 else entries
    return found


def run(language: str, program: str, page: Page, folder: Path) -> None:
    """Run a program; it finds a photo in its folder."""
    (folder / "photo.jpg").write_bytes(jpeg())
    if language == "javascript":
        page.evaluate(RUN % program, list(jpeg()))
        return
    if language == "php":
        (folder / "call.php").write_text(program)
    command = {
        "curl": ["sh", "-c", program],
        "python": [sys.executable, "-c", program],
        "php": ["php", "call.php"],
    }
    done = subprocess.run(
        command[language], cwd=folder, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert "OK" in done.stdout


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("language", ["curl", "python", "php", "javascript"])
def test_a_program_that_is_run_makes_the_call(
    page: Page, echo: Echo, tmp_path: Path, language: str, encoding: str
) -> None:
    given = odd_call()
    run(language, write(page, echo, encoding, given)[language], page, tmp_path)
    seen, wanted = echo.calls.pop(), expected(encoding, given)
    if (language, encoding) == ("javascript", "parts"):  # browsers write line ends of forms so
        wanted = {name: _with_crlf(value) for name, value in wanted.items()}
    assert seen.fields == wanted
    assert seen.method == ("GET" if encoding == "get" else "POST")
    assert seen.file is None


def _with_crlf(value: object) -> object:
    return value.replace("\n", "\r\n") if isinstance(value, str) else value


@pytest.mark.parametrize("language", ["curl", "python", "php", "javascript"])
def test_a_file_goes_along_in_a_form_of_parts(page: Page, echo: Echo, tmp_path: Path, language: str) -> None:
    given = [{"name": "op", "text": "upload", "type": "text"}]
    run(language, write(page, echo, "parts", given, file=True)[language], page, tmp_path)
    seen = echo.calls.pop()
    assert (seen.fields, seen.file) == ({"op": "upload"}, jpeg())
    assert "photo" not in write(page, echo, "form", given, file=True)[language]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_what_the_page_sends_is_the_same_call(page: Page, echo: Echo, encoding: str) -> None:
    send = """async ([url, encoding, given]) => {
      const { fetched, request } = await import("/ops-request.js");
      await fetch(...fetched(request(url, encoding, given)));
    }"""
    given = odd_call()
    page.evaluate(send, [echo.url + API, encoding, given])
    wanted = expected(encoding, given)
    if encoding == "parts":
        wanted = {name: _with_crlf(value) for name, value in wanted.items()}
    assert echo.calls.pop().fields == wanted


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("language", ["kotlin", "swift"])
def test_a_program_that_is_not_run_names_and_says_every_text(
    page: Page, echo: Echo, language: str, encoding: str
) -> None:
    given = odd_call()
    found = literals(write(page, echo, encoding, given)[language], language)
    assert echo.url + API in found
    pairs = list(pairwise(found))
    for one in given:
        if encoding == "json" and one["type"] != "text":
            assert one["name"] in found
        else:
            assert (one["name"], one["text"]) in pairs
    entries = ["1", "'2'", "$3"]
    assert encoding != "json" or found[found.index("phones") + 1 :][:3] == entries
    assert encoding != "parts" or literals(write(page, echo, encoding, given, file=True)[language], language)


READERS: dict[str, Callable[[str], list[str]]] = {
    "kotlin": partial(literals, language="kotlin"),
    "swift": partial(literals, language="swift"),
    "python": lambda text: [literal_eval(text)],
}


@pytest.mark.parametrize("language", READERS)
def test_any_text_survives_as_a_literal(page: Page, language: str) -> None:
    @settings(max_examples=examples(100), deadline=None, suppress_health_check=list(HealthCheck))
    @given(texts=st.lists(st.text() | st.text("\\\"'$(){}u\n\r\t\0 0aAn`"), min_size=10))
    def check(texts: Sequence[str]) -> None:
        written: list[str] = page.evaluate(LITERALS, [language, texts])
        assert [READERS[language](text) for text in written] == [[text] for text in texts]

    check()


@pytest.mark.parametrize("language", ["javascript", "php", "curl"])
def test_any_text_survives_where_it_is_run(page: Page, tmp_path: Path, language: str) -> None:
    @settings(max_examples=examples(10), deadline=None, suppress_health_check=list(HealthCheck))
    @given(texts=st.lists(st.text() | st.text("\\\"'$(){}u\n\r\t 0aAn`"), min_size=20, max_size=60))
    def check(texts: Sequence[str]) -> None:
        if language == "curl":  # no argument of a program has one
            texts = [text.replace("\0", "") for text in texts]
        written: list[str] = page.evaluate(LITERALS, [language, texts])
        assert said(language, written, page, tmp_path) == texts

    check()


def said(language: str, written: Sequence[str], page: Page, folder: Path) -> list[str]:
    """What the language makes of these literals."""
    if language == "javascript":
        spoken: list[str] = page.evaluate(f"() => [{', '.join(written)}]")
        return spoken
    if language == "php":
        (folder / "say.php").write_bytes(
            f"<?php foreach ([{', '.join(written)}] as $t) echo bin2hex($t), ',';".encode()
        )
        out = subprocess.run(
            ["php", "say.php"], cwd=folder, capture_output=True, check=True, text=True
        ).stdout
        return [bytes.fromhex(text).decode() for text in out.split(",")[:-1]]
    script = folder / "say.sh"
    script.write_bytes(b"printf '%s\\0' " + " ".join(written).encode())
    out = subprocess.run(["sh", str(script)], capture_output=True, check=True).stdout.decode()
    return out.split("\0")[:-1]


def test_what_is_no_literal_is_found() -> None:
    for program, language in (
        ('"$x"', "kotlin"),
        ('"\\(x y)"', "swift"),
        ('"a\nb"', "swift"),
        ("(]", "kotlin"),
        ("((", "kotlin"),
        ('"\\q"', "kotlin"),
    ):
        with pytest.raises(ValueError):
            literals(program, language)
