"""What the cash forecast is worth on a real ledger."""
