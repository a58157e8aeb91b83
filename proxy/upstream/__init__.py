"""Calling a version of the API: connections, deadlines, typed outcomes."""
