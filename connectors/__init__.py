"""Where it comes from: one package for each kind of wire."""
