"""A board, its votes and its method as one HTML file that is complete without a network."""
