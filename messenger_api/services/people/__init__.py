"""People: phone books, profiles, blocks, pictures."""
