"""`messenger-api`: the operator's commands, which ask services and print."""

from messenger_api.cli.root import main

__all__ = ["main"]
