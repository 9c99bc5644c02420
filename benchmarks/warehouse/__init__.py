"""What analysts' questions cost at fifty million rows, and what the views cost when rows land."""
