"""A task of one's own: what people write to us goes to the helpdesk. EXTENSIONS = ["own_task.Helpdesk"]."""

from dataclasses import dataclass

import requests
from msgspec import Struct

from messenger_api.extensions import (
    Call,
    Extension,
    Handled,
    Impossible,
    JsonObject,
    NotReady,
    Operation,
    Run,
    Task,
    handled,
    queue,
)
from messenger_api.settings import Keys, Settings, key
from messenger_api.settings.conversions import as_url


@dataclass(frozen=True)
class HelpdeskKeys(Keys):
    helpdesk_url: str = key("", as_url, "Where tickets go.", "https://desk.example.com/", needed=True)


class FeedbackParameters(Struct):
    """Write to the helpdesk."""

    text: str = ""


class Ticket(Task):
    kind, needs_mesibo = "own_ticket", False
    number: str
    text: str


class Helpdesk(Extension):
    keys = HelpdeskKeys

    def __init__(self, settings: Settings) -> None:
        self.url = settings.of(HelpdeskKeys).helpdesk_url

    def operations(self) -> dict[str, Operation]:
        return {"feedback": Operation(self.feedback, FeedbackParameters)}

    def tasks(self) -> list[Handled]:
        return [handled(Ticket, self.hand_over)]

    def feedback(self, call: Call, given: FeedbackParameters) -> JsonObject:
        ticket, lane = Ticket(call.caller.address, given.text), f"ticket:{call.caller.uid}"
        call.services.database.write(lambda tx, now: queue(tx, now, ticket, lane))
        return {}

    def hand_over(self, ticket: Ticket, run: Run) -> None:
        fields = {"id": run.id, "from": ticket.number, "text": ticket.text}
        try:
            status = requests.post(self.url, json=fields, timeout=4).status_code
        except requests.RequestException:
            raise NotReady("the helpdesk does not answer") from None
        if status != 200:
            raise (NotReady if status >= 500 else Impossible)(f"the helpdesk answers {status}")
