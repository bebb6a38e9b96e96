"""Dosage patrols: which zones in a shift, how many visits, when, by whom and in which order."""
