"""What belongs to one page."""
