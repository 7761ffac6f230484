"""In front of a running PHP demo: its answers go out, this product's are compared with them.

`front` takes the requests, `ours` is the product on a moved copy of the demo's database, with a stand-in for
mesibo and without texts, `comparison` knows which differences are meant, `tally` counts.
"""
