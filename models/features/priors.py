"""What is taken for granted of an account that nothing is known of: the smoothing of its habits."""

PRIOR_ON_TIME = 2.0
PRIOR_LATE = 1.0
"""Of three invoices two are paid on time."""

PRIOR_INVOICES = 3.0
PRIOR_DAYS = 5.0
"""Three invoices, on average so many days late."""
