"""Does the certificate hold? Runs whose truth is known, the library's own looks in them, and a table."""
