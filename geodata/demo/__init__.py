"""The demonstration city: generated, synthetic, with its truth known."""
