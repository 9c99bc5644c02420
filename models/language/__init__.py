"""Read what a customer has written, in their own words: an opt-out first, then the intent."""
