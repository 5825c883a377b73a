"""What belongs to one paper alone: its networks and equations."""
