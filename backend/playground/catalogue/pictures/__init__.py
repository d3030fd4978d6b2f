"""Pictures as numbers: drawn by code, made smaller, reduced to a few colours."""
