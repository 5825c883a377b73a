"""Costumes: what is worn on the head follows it, the rest stays with the body."""
