"""The mapping language: contracts, codecs, rules, and the plans they compile to."""
