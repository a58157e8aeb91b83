"""crossfade: a v2-to-v2.1 migration and compatibility proxy."""

__version__ = "0.1.0"
