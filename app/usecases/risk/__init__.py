"""A run from what is asked to its report: inputs, fit, validation, certainty, comparison."""
