"""Whether a database server is there at all, for who starts before it."""

from __future__ import annotations

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

# MySQL's numbers for what the driver meets itself ("Client Error Message Reference"): nobody listens, no such
# host, the connection broke.
_CLIENT_ERRORS = range(2000, 3000)
# What a server says that is about to be there: too many connections, not ready for queries, shutting down.
_NOT_YET = (1040, 1047, 1053)


def answers(engine: Engine) -> bool:
    """Whether a connection is made, or refused by a server that will refuse it again: a wrong password."""
    try:
        engine.connect().close()
    except DBAPIError as error:
        number = next(iter(getattr(error.orig, "args", ())), None)
        return number not in _CLIENT_ERRORS and number not in _NOT_YET
    return True
