"""Does a target behave as DynamoDB does while things go wrong: faults, and what must hold under them."""
