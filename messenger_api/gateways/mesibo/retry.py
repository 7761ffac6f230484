"""When a call that got no answer may be made once more.

The rule needs no network: it looks at what is known of the failure and at the op.
"""

from __future__ import annotations

from messenger_api.gateways.http import NoResponse

# Made twice, these leave mesibo as once would have. `groupadd` would make a second group and `message`
# would reach people twice.
IDEMPOTENT = frozenset(
    {"useradd", "usertoken", "userdel", "groupset", "groupeditmembers", "groupdel", "groupgetmembers"}
)

# Failures that a new connection may not meet again. Not `timeout`: the caller has waited enough. Not
# `tls`: a certificate does not improve within a second.
PASSING = frozenset({"connect", "proxy", "broken"})


def may_retry(op: str, failure: NoResponse) -> bool:
    """Whether `op` may be tried a second time after `failure`.

    A request whose body never left cannot have been carried out: any op may go again. Otherwise only an
    idempotent op, and only when not one byte of an answer came, which is how a pooled connection ends
    that the server had already closed.
    """
    if failure.reason not in PASSING or failure.answered:
        return False
    return not failure.sent or op in IDEMPOTENT
