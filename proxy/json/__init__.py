"""Documents without values: reading, editing and writing JSON token by token."""
