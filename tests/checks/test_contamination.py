"""Foreign rows are bounded from below, and known synthetic rows are counted."""
