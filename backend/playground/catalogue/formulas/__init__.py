"""Formulas that people type: parsed, never executed, and written back in one way."""
