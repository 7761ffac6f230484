"""/playground/ops: each op with its form, its programs, its answer explained and its errors made to happen.

What the pages do is in `static/playground/`: `ops.js` is the page, `ops-request.js` the call, and
`ops-snippets.js` the programs.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from flask import Blueprint, abort, render_template, url_for

from messenger_api.ops.call import Operation
from messenger_api.reference.described import OWN, Reference
from messenger_api.transport.playground.declared import Pages


def add(blueprint: Blueprint, operations: Mapping[str, Operation]) -> None:
    """Add the pages' routes."""
    reference = Reference(operations)
    page = cache(Pages(reference).page)

    @blueprint.get("/ops")
    def ops() -> str:
        return render_template("playground/ops.html", ops=reference.ops())

    @blueprint.get("/ops/<op>")
    def one_op(op: str) -> str:
        if op not in operations:
            abort(404)
        return render_template(
            "playground/ops-one.html",
            ops=reference.ops(),
            page=page(op),
            reference=url_for("docs.op", name=op),
            own=OWN,
        )
