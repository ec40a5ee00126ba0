"""The one exception a person is meant to read: it says what is wrong, what is allowed and what to do."""


class AntiphonError(Exception):
    """Something the user can mend. The command line prints it without a traceback and exits with 1."""
