"""Did it work? Estimates of a change, areas to compare with, and how sure any of it can be."""
