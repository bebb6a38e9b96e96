"""Long work: requested, queued, done by workers of their own, reported how far it is."""
