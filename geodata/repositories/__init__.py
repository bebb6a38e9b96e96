"""The database, one module a noun. Functions take an open session and never commit."""
