"""The commands. Each file adds its own to `main`, or to the group of another file, and needs no list."""
