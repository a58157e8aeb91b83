"""Comparing the two versions on live traffic."""
