"""/playground/ops: each op with its form, its programs, its answer explained and its errors made to happen.

What the pages do is in `static/playground/`: `ops.js` is the page, `ops-request.js` the call, and
`ops-snippets.js` the programs.
"""

from __future__ import annotations

from flask import Blueprint, abort, render_template, url_for

from messenger_api.ops import OPERATIONS
from messenger_api.reference.lines import about
from messenger_api.transport.playground.declared import page


def add(blueprint: Blueprint) -> None:
    """Add the pages' routes."""

    @blueprint.get("/ops")
    def ops() -> str:
        return render_template("playground/ops.html", ops=_index())

    @blueprint.get("/ops/<op>")
    def one_op(op: str) -> str:
        if op not in OPERATIONS:
            abort(404)
        return render_template(
            "playground/ops-one.html", ops=_index(), page=page(op), reference=url_for("docs.op", name=op)
        )


def _index() -> dict[str, str]:
    """What each op is for, by its name."""
    return {op: about(operation.parameters) for op, operation in OPERATIONS.items()}
