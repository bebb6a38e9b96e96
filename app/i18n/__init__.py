"""Languages, and every sentence that is made of a number, a code or a name."""
