"""The doctor (`messenger-api check`): `checks` has the table, the other files its functions."""
