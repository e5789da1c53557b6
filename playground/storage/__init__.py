"""The database, its journal and their maintenance: the only package with SQL."""
