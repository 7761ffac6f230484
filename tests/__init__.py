"""The tests; `make test` runs all but tests/cluster, `make test-cluster` those."""
