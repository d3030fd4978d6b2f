"""`python -m playground.cli`, where no `playground` is on the path."""

from playground.cli import main

if __name__ == "__main__":
    main()
