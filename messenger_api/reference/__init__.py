"""The reference of the API, drawn from what the ops declare: schemas, OpenAPI, Markdown, and what pages show.

Nothing is kept here beside the declarations but the words around them, and `samples.json`: real calls and
their answers, written by scripts/make-samples.
"""
