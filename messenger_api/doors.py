"""The pages for people, in the order in which the navigation and the front page name them.

An application has those that it has a route for: a page that is not there is named nowhere.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask import Flask


@dataclass(frozen=True)
class Door:
    """A page: `name` in the navigation, `title` and `says` on the front page."""

    path: str
    name: str
    title: str
    says: str


DOORS = (
    Door(
        "/playground",
        "Phones",
        "Two phones",
        "Two pretend phones that log in, find each other and chat, and every request they make.",
    ),
    Door(
        "/playground/ops",
        "Ops",
        "Playground of ops",
        "A form for each op, the call in six languages, and the answer explained.",
    ),
    Door(
        "/sandbox",
        "Sandbox",
        "Sandbox",
        "It plays mesibo and the SMS network: login codes, messages, users, and faults to try.",
    ),
    Door("/docs", "API", "The API", "Every op with its fields, its answer and its errors; OpenAPI."),
    Door("/docs/guide", "Guide", "Guide", "From your own app against this server to going live."),
    Door("/readyz", "Health", "Health", "Whether people can log in, and what keeps them from it."),
)


def show_doors(app: Flask) -> None:
    """Give an application's templates `doors()`, and `door_at(path)` for the one that a page is behind."""

    def doors() -> list[Door]:
        routes = app.url_map.bind("")
        return [door for door in DOORS if routes.test(door.path, "GET")]

    app.add_template_global(doors)
    app.add_template_global(door_at)


def door_at(path: str) -> str:
    """The path of the door that a page is behind, "" where there is none."""
    behind = [door.path for door in DOORS if f"{path}/".startswith(f"{door.path}/")]
    return max(behind, key=len, default="")
