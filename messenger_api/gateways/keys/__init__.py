"""What can be chosen in the configuration, and its keys: to read `config.py`, no gateway is loaded."""
