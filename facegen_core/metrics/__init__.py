"""Metrics as torchmetrics classes; their equations are in ``functional``."""
