"""The catalogue: one class declares one component, and the classes are the registry."""
