"""Who may come in and how: passwords, one-time codes, lock-out, sessions. Knows no pages."""
