"""From exact rows to what the public may see: places, times and counts under the masking rules."""
