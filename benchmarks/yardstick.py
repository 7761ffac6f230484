"""The yardstick Y: an empty Flask answer, under the product's server with as many workers.

Called with a port and the number of workers.
"""

from __future__ import annotations

from flask import Flask, Response

from benchmarks.serving import serve


def empty_app() -> Flask:
    """An application that answers nothing."""
    app = Flask(__name__)

    @app.route("/", methods=["GET", "POST"])
    def empty() -> Response:
        return Response()

    return app


if __name__ == "__main__":
    serve("benchmarks.yardstick", empty_app)
