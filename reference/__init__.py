"""An executable model of DynamoDB: deterministic, without I/O, usable alone as an emulator."""
