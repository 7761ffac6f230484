"""What comes of asking the server that LOGIN_METHOD names: a directory, an issuer, a mail server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from messenger_api.domain.counting import Accumulator
from messenger_api.domain.figures import METHOD_CALLS
from messenger_api.gateways.login import LoginFailed, Unavailable


class Asked:
    """Counts the calls of one method."""

    def __init__(self, figures: Accumulator, method: str) -> None:
        """`method`: LOGIN_METHOD; a class of one's own has a path that may be long."""
        self._figures = figures
        self._method = method.rpartition(".")[2]

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Ask in here, once."""
        outcome = "ok"
        try:
            yield
        except LoginFailed as error:
            outcome = "unavailable" if isinstance(error, Unavailable) else "denied"
            raise
        finally:
            self._figures.count(METHOD_CALLS, self._method, outcome)
