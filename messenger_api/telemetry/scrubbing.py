"""Takes out of texts what must not leave this machine: numbers of people, codes, tokens, addresses."""

from __future__ import annotations

import re

# Four digits and more, whatever people put between them; anything as long as a token; mail addresses.
_SECRETS = re.compile(
    r"[^\s@'\"<>]+@[^\s@'\"<>]+|\+?[0-9](?:[ ().-]{0,2}[0-9]){3,}|[0-9A-Za-z_+/=-]*[0-9][0-9A-Za-z_+/=-]{14,}"
    r"|[0-9A-Za-z_+/=-]{14,}[0-9][0-9A-Za-z_+/=-]*|[^\W_]{32,}"
)
HIDDEN = "[hidden]"


def scrubbed(text: str) -> str:
    """The same text without them."""
    return _SECRETS.sub(HIDDEN, text)
