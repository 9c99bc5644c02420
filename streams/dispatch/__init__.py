"""dispatch: contact requests to the channels, each sent once. Open `agent.py` first."""
