"""decide: events into states, scores and decisions, exactly once. Open `agent.py` first."""
