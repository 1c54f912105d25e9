"""Which timestamps cannot be right: rules, their evidence, and the flags that stand."""
