"""An account: its sessions, its number, its end."""
