"""Text messages and calls with a code: handed over, paid for, followed."""
