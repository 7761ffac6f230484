"""mesibo's backend API, as data (`specification.json`) and from Python.

Stands alone: nothing of the product is imported here.
"""
