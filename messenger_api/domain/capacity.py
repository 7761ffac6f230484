"""How much a process does at once: its turns in front and its connections to the database follow from it."""

CALLS_AT_ONCE = 32
"""Requests that a process works on at once; none uses more than one connection to the database at a time."""
