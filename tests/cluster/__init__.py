"""What needs a cluster of databases, or minutes: `make test-cluster`."""
