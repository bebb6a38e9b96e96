"""Pages: each view parses what is asked, calls, and renders."""
