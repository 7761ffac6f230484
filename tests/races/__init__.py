"""Requests and workers at once, in every order with few changes of turn."""
