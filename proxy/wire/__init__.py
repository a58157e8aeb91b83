"""What an HTTP gateway must get right: targets, header sections, codings, credentials."""
