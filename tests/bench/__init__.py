"""Speeds, each beside what it is compared with, measured by turns in one run."""
