"""From what connectors see to raw and items, in one transaction with where they stand."""
