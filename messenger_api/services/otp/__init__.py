"""One-time codes: made, shown, and failed attempts at them."""
