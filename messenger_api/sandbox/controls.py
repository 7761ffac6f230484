"""What tests and the page set over HTTP: faults, the clock, and all anew."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, jsonify, request

from messenger_api.sandbox.asked import ID, is_id, is_text
from messenger_api.sandbox.faults import LONGEST_DELAY, Faults
from messenger_api.sandbox.records import Fault
from messenger_api.sandbox.store import SandboxStore

# Everything here reads `request.get_json()`, which insists on application/json: a page of another origin
# cannot send that unasked.


def add_controls(pages: Blueprint, store: SandboxStore, forget: Callable[[], None]) -> None:
    """Add `/faults`, `/clock` and `/reset` to the sandbox's pages.

    Args:
        pages: gets the routes.
        store: what they change.
        forget: called at a reset, when no fault holds any more.
    """
    _add_faults(pages, Faults(store))
    _add_clock(pages, store)
    _add_reset(pages, store, forget)


def _add_faults(pages: Blueprint, faults: Faults) -> None:
    @pages.get("/faults")
    def current() -> Response:
        return jsonify(faults=held(faults))

    @pages.post("/faults")
    def add() -> Response:
        fault = _fault(request.get_json())
        if fault is None:
            accepted = {field.name: field.default for field in dataclasses.fields(Fault)}
            return _bad(error="not a fault", accepted=accepted, longest_delay=LONGEST_DELAY)
        faults.set(fault)
        return current()

    @pages.delete("/faults")
    def clear() -> Response:
        faults.clear()
        return current()

    @pages.delete(f"/faults/{ID}")
    def end(number: int) -> Response:
        faults.end(number)
        return current()


def held(faults: Faults) -> list[dict[str, Any]]:
    """The faults that are set, oldest first, each with the `id` by which it is ended."""
    return [{"id": number, **dataclasses.asdict(fault)} for number, fault in faults.held()]


def _add_clock(pages: Blueprint, store: SandboxStore) -> None:
    @pages.get("/clock")
    def clock() -> Response:
        return jsonify(time=store.now(), ahead=store.ahead)

    @pages.post("/clock")
    def advance() -> Response:
        match request.get_json():
            case {"advance": seconds, **rest} if type(seconds) is int and seconds >= 0 and not rest:
                store.advance(seconds)
                return clock()
        return _bad(error="not a move of the clock", accepted={"advance": "whole seconds, 0 or more"})


def _add_reset(pages: Blueprint, store: SandboxStore, forget: Callable[[], None]) -> None:
    @pages.post("/reset")
    def reset() -> Response:
        if request.get_json() != {}:
            return _bad(error="not a reset", accepted={})
        store.reset()
        forget()
        return jsonify(result=True)


def _fault(given: object) -> Fault | None:
    """The fault that a request describes; None when a member is unknown or has a wrong type."""
    fields = {field.name: type(field.default) for field in dataclasses.fields(Fault)}
    if not isinstance(given, dict) or not set(given) <= set(fields):
        return None
    values: dict[str, Any] = dict(given)
    if is_id(values.get("delay")):
        values["delay"] = float(values["delay"])
    if not all(type(value) is fields[key] for key, value in values.items()):
        return None
    fault = Fault(**values)
    return fault if _can_be_played(fault) else None


def _can_be_played(fault: Fault) -> bool:
    is_one = 0 <= fault.delay <= LONGEST_DELAY and is_id(fault.times) and bool(fault.op)
    return is_one and is_text(fault.op + fault.error)


def _bad(**said: object) -> Response:
    answer = jsonify(**said)
    answer.status_code = 400
    return answer
