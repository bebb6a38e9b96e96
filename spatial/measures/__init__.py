"""Rules of measures as functions of arrays and frames: nothing here reads a database."""
