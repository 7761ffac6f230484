"""What stays: the database, by subject, and the files.

Functions here take an SQLAlchemy `Connection`, run one or a few statements and never commit; `db.Database`
decides where a transaction begins and ends.
"""
