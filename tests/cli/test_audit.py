"""`messenger-api audit`: lists what was done, and says with 1 that something of it was changed."""

from __future__ import annotations

from sqlalchemy import update

from messenger_api.storage.models import AuditRow
from tests.cli.commands import Cli
from tests.product import Product

NUMBER = "14155550101"


def test_what_commands_did_is_listed_and_whoever_changes_it_is_found(cli: Cli, installation: Product) -> None:
    installation.log_in(NUMBER)
    cli.ok("users", "block", NUMBER)
    cli.ok("users", "unblock", NUMBER)
    cli.ok("sessions", "revoke", "--user", NUMBER)
    cli.ok("outbox", "retry", "--all")
    cli.ok("users", "delete", NUMBER, "--yes")
    rows = cli.json("audit", "list")
    events = ["UserDeleted", "OutboxRetried", "SessionsEnded", "UserAccess", "UserAccess"]
    assert [row["event"] for row in rows] == events
    assert [row["event"] for row in cli.json("audit", "list", "--user", f"+{NUMBER}")] == [
        event for event in events if event != "OutboxRetried"
    ]
    shown = cli.ok("audit", "list", "--limit", "2", "--before", str(rows[1]["id"]))
    assert "command" in shown
    assert "old=blocked new=open" in shown
    assert NUMBER not in shown
    assert "5 rows" in cli.ok("audit", "verify")
    database = installation.services.database
    database.run(lambda tx: tx.execute(update(AuditRow).where(AuditRow.id == 2).values(fields="{}")))
    result = cli.run("audit", "verify")
    assert result.exit_code == 1
    assert "row 2 is not as it was written" in result.output
    found = cli.run("audit", "verify", "--json")
    assert found.exit_code == 1
    assert '"rows": 5' in found.output
