"""What types the pages notices a command that fails, and an answer that is not the one shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.guide.following import assert_shown
from tests.typed_pages import Reader, blocks

PAGE = """
1. In a list:

   ```sh
   NAME=Ana
   echo "hello $NAME"
   ```

<!-- not run: needs another machine -->
```sh
rm -rf everything
```

```sh
echo '{"result":"OK","ts":1}'; echo "waited 17 s, by $NAME"
```

```text
waited 3 s, by …
```

```json
{"result":"OK","ts":1795225307}
```
"""


def test_blocks_are_read_with_their_place_and_marks() -> None:
    found = blocks(PAGE)
    assert [(block.language, block.line, block.not_run) for block in found] == [
        ("sh", 5, ""),
        ("sh", 11, "needs another machine"),
        ("sh", 15, ""),
        ("text", 19, ""),
        ("json", 23, ""),
    ]
    assert found[0].text == 'NAME=Ana\necho "hello $NAME"\n'


@pytest.mark.server
def test_blocks_are_typed_into_one_shell_and_held_to_what_is_shown(tmp_path: Path) -> None:
    steps = [block for block in blocks(PAGE) if not block.not_run]
    printed = Reader(tmp_path).reads([block for block in steps if block.language == "sh"])
    assert printed == ["hello Ana", '{"result":"OK","ts":1}\nwaited 17 s, by Ana']
    assert_shown(steps, printed)


@pytest.mark.parametrize(
    ("shown", "other"),
    [("waited", "slept"), ("3 s", "3 min"), ('"OK"', '"FAIL"'), ('"ts"', '"at"'), ("by …", "by … and Bob")],
)
def test_what_is_shown_and_was_not_printed_is_a_fault(shown: str, other: str) -> None:
    steps = [block for block in blocks(PAGE.replace(f"{shown}", other)) if not block.not_run]
    with pytest.raises(AssertionError, match="line"):
        assert_shown(steps, ["hello Ana", '{"result":"OK","ts":1}\nwaited 17 s, by Ana'])


@pytest.mark.server
def test_a_command_that_fails_ends_the_page(tmp_path: Path) -> None:
    steps = blocks("```sh\necho first\n```\n\n```sh\necho second; false\n```\n\n```sh\necho third\n```\n")
    with pytest.raises(AssertionError, match=r"after 1 shell blocks, exit status 1:\s+first") as told:
        Reader(tmp_path).reads(steps)
    assert "second" in str(told.value)
    assert "third" not in str(told.value)
