"""Long work: asked for, queued, done by workers of their own, told how far it is."""
