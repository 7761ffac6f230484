"""Logging in: one flow for each way to prove who one is."""
