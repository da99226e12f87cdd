"""The pages, in the order of the work: give, check, read; then history, accounts and the interface for programs."""
