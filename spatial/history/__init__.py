"""What happened there: smoothed counts, empirical Bayes, baselines, scores of a forecast."""
