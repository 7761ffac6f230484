"""Backups: the database, the files and the key as a folder, and the way back.

A backup is whole when it has its name: it is made under another one, and renamed at its end.
"""
