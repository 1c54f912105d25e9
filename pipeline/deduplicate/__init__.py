"""The first stage: which posts repeat each other."""
