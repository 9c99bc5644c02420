"""What decide costs per event, beside a hand-written loop and a plain Faust agent around the same core."""
