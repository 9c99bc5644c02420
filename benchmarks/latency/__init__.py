"""How long an event takes to its decision and to its row, at a steady rate."""
