"""`python -m proxy` is the same as `crossfade`."""

from proxy.cli import main

if __name__ == "__main__":
    main()
