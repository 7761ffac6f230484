"""Clients of outside systems: mesibo, the SMS network, and whoever proves who somebody is.

None of them knows the database, or what the app makes of an answer.
"""
