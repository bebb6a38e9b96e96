"""What public pages show: a release read from its files, or a preview for staff."""
