"""Moving in from mesibo's PHP demo: its database and its pictures.

`source` reads and never writes, `people`, `rooms` and `books` decide what becomes of each row, and
`storage.moved` writes. docs/moving-from-php.md tells how it is used.
"""
