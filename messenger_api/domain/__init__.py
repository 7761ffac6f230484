"""Pure rules: no HTTP, no database, no network, no clock."""
