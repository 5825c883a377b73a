"""The table of places, by part of the world. Heights and widths are in picture units, -1 to 1; a head hides the middle,
so what a place is known by stands beside it or above it.
"""
