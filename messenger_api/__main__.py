"""`python -m messenger_api`: the command line."""

from messenger_api.cli import main

if __name__ == "__main__":
    main()
