"""Meshes and how they are moved."""
