"""Example apps of each generation, logged in at the real running server."""
