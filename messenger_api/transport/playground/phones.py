"""/playground: two pretend phones that chat. What they do is in `static/phones/`."""

from __future__ import annotations

from flask import Blueprint, render_template


def add(blueprint: Blueprint) -> None:
    """Add the page's route."""

    @blueprint.get("")
    def phones() -> str:
        return render_template("playground/phones.html")
