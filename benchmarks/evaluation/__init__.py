"""How often the intervals of a judgement hold the truth, and what public logs say."""
