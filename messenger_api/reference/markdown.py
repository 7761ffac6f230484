"""The whole reference as one text in Markdown: /docs.md, /llms.txt, and docs/ops.md."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from messenger_api.reference import described
from messenger_api.reference.described import Error, Member, Op, Reference, Shape

HEAD = """\
# The private API

> What mesibo's messenger apps ask this server, and what it answers: {count} ops at one address.

Drawn from what the ops declare. For programs: [openapi.json]({server}/docs/openapi.json),
[openapi-ops.json]({server}/docs/openapi-ops.json) with an address for each op, and
[JSON Schemas]({server}/docs/schemas/all.json).

## A call

A call is a POST to `{server}/api.php`, as JSON, as a form, or as multipart/form-data where a file comes with
it; or a GET with the same fields in the query. `op` names the op. Every value may be sent as a text, and a
list as a text with commas. Fields that an op does not know are passed over.

Every answer is one JSON object with HTTP status 200. A member that is not in the tables below may come in a
later version: pass over it.
"""


def whole(reference: Reference, server: str) -> str:
    """All of it; `server`: the address that calls go to, without a slash at the end."""
    ops = reference.ops()
    parts = [
        HEAD.format(server=server, count=len(ops)),
        "".join(_shape(each, 3) for each in [*reference.envelope(), *reference.envelope_parts()]),
        "## Ops\n\n" + "".join(map(_line, ops)),
        *(_op(op, server) for op in ops),
        "## Errors\n\n" + _errors(reference.errors(), with_ops=True),
        _updates(reference),
    ]
    return "\n".join(part.rstrip("\n") + "\n" for part in parts)


def _line(op: Op) -> str:
    own = " (this server's own)" if op.own else ""
    return f"- [`{op.name}`](#{op.name}): {op.summary}{own}\n"


def _op(op: Op, server: str) -> str:
    own = f"{described.OWN}\n" if op.own else ""
    parts = [f"### {op.name}\n", op.about + "\n", own, _fields(op)]
    for sample in op.samples:
        parts.append(_block("bash", described.curl(server, sample)))
        if sample.answer is not None:
            parts.append(_block("json", json.dumps(sample.answer, indent=1, ensure_ascii=False)))
    besides = " Besides, what whoever is logged in is told." if op.needs_session else ""
    for answer in op.answers:
        parts.append(f"Answer: {answer.about}{besides}\n")
        parts.append(_table(answer.members))
    parts += [_shape(part, 4) for part in op.parts]
    parts += ["Errors:\n", _errors(op.errors)]
    return "\n".join(filter(None, parts))


def _fields(op: Op) -> str:
    token = [described.TOKEN] if op.needs_session else []
    file = [Member("a file", "file", op.file, always=False)] if op.file else []
    return _table([*token, *op.parameters, *file])


def _updates(reference: Reference) -> str:
    shape = reference.update_message()
    return f"## Update messages\n\n{described.UPDATES}\n\n{_table(shape.members)}"


def _shape(shape: Shape, level: int) -> str:
    return f"\n{'#' * level} {shape.name}\n\n{shape.about}\n\n{_table(shape.members)}"


def _table(members: Sequence[Member]) -> str:
    if not members:
        return ""
    rows = "".join(f"| `{each.name}` | {_kind(each)} | {_cell(each.about)} |\n" for each in members)
    return f"| name | type | what it is |\n|---|---|---|\n{rows}"


def _kind(member: Member) -> str:
    return _cell(member.kind) if member.always else f"{_cell(member.kind)}, optional"


def _errors(errors: Iterable[Error], *, with_ops: bool = False) -> str:
    head = "| error | what it means | what an app does |" + (" ops |" if with_ops else "")
    rule = "|---|---|---|" + ("---|" if with_ops else "")
    rows = ""
    for each in errors:
        ops = f" {each.where} |" if with_ops else ""
        rows += f"| `{each.code}` | {_cell(each.about)} | {_cell(each.to_do)} |{ops}\n"
    return f"{head}\n{rule}\n{rows}"


def _block(language: str, text: str) -> str:
    return f"```{language}\n{text}\n```\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
