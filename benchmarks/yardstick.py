"""The yardstick Y: an empty Flask answer, under the product's server with as many workers.

Called with a port and the number of workers.
"""

from __future__ import annotations

import sys

from flask import Flask, Response
from granian import Granian
from granian.constants import Interfaces

from messenger_api.cli.serve import THREADS


def empty_app() -> Flask:
    """An application that answers nothing."""
    app = Flask(__name__)

    @app.route("/", methods=["GET", "POST"])
    def empty() -> Response:
        return Response()

    return app


if __name__ == "__main__":
    Granian(
        "benchmarks.yardstick",
        address="127.0.0.1",
        port=int(sys.argv[1]),
        interface=Interfaces.WSGI,
        workers=int(sys.argv[2]),
        blocking_threads=THREADS,
        log_enabled=False,
    ).serve(target_loader=empty_app, wrap_loader=False)
