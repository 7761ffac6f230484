"""How the programs that the product is compared with are served: as the product is."""

from __future__ import annotations

import sys
from collections.abc import Callable

from flask import Flask
from granian import Granian
from granian.constants import Interfaces

from messenger_api.domain.capacity import CALLS_AT_ONCE


def serve(name: str, load: Callable[[], Flask]) -> None:
    """Serve an application on the port, and with the number of workers, that the command line begins with."""
    Granian(
        name,
        address="127.0.0.1",
        port=int(sys.argv[1]),
        interface=Interfaces.WSGI,
        workers=int(sys.argv[2]),
        blocking_threads=CALLS_AT_ONCE,
        log_enabled=False,
    ).serve(target_loader=load, wrap_loader=False)
