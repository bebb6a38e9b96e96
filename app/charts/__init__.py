"""Charts as SVG and pages as PDF: one palette, direct labels, the same bytes every time."""
