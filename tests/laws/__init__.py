"""The laws of the mapping, as properties over a pure model of the platform."""
