"""A small stand-in for the platform, for the demo and the tests; a deployment never loads it."""
