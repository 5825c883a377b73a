"""Embedded people: identity, expression and intensity are known factors, and a person is a seed."""
