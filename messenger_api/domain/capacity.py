"""How much a process does at once, and how much room it needs on a disk."""

CALLS_AT_ONCE = 32
"""Requests that a process works on at once; none uses more than one connection to the database at a time.

Its turns in front and its connections to the database follow from it.
"""

DISK_FULL_BYTES = 16 * 1024**2
"""Less room than this is none: a database may need so much at once."""

DISK_NEARLY_FULL_BYTES = 500 * 1024**2
"""Some hundred pictures, and time to make room."""
