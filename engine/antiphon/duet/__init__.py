"""The performance as a state machine: plan, voices, schedule, ledger. No clock, thread or port."""
