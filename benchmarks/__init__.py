"""How fast the product is: `make bench`. docs/benchmarks.md says what is measured and how."""
