"""The configuration file: its keys, where each value came from, what is wrong with it."""
