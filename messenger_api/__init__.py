"""The private API for mesibo's messenger apps."""
