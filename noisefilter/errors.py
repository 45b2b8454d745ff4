"""What can go wrong with what a user hands in: each error says what to do, and which exit code it means."""

from enum import IntEnum


class ExitCode(IntEnum):
    """What the exit code of the command line tells."""

    NOTHING_TO_DO = 0
    FOUND = 1
    USAGE = 2
    SOME_FAILED = 3
    MODEL = 4
    FLOOR_BROKEN = 5


class NoisefilterError(Exception):
    """Base of all errors that are about the user's input; ``str()`` is one line."""

    exit_code = ExitCode.SOME_FAILED


class InputError(NoisefilterError):
    """An article that cannot be read."""


class RunError(NoisefilterError):
    """What ends a whole run, not one input: a worker process is gone, stdout is full."""


class LabelError(NoisefilterError):
    """Labelled data that cannot be used."""


class RulesError(NoisefilterError):
    """A rules file that cannot be used."""

    exit_code = ExitCode.USAGE


class RecipeError(NoisefilterError):
    """A training recipe that cannot be used."""

    exit_code = ExitCode.USAGE


class ModelError(NoisefilterError):
    """A model that is missing, damaged, foreign, or of another format."""

    exit_code = ExitCode.MODEL


class FloorError(NoisefilterError):
    """A quality figure below its floor."""

    exit_code = ExitCode.FLOOR_BROKEN
