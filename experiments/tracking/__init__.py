"""Tracking: every run is recorded on disk first (journal), and delivered to MLflow by a process of its own (sender)."""
