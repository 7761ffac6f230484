"""Logging in: one class for each way (`flow`), and the session at the end (`accounts`)."""
