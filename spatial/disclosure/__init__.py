"""Exact places, times and counts -> those that are fit for the public."""
