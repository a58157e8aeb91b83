"""The emulator, asked over real sockets."""
