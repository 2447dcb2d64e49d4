"""Learning Randomized Algorithms with Transformers (ICLR 2025), replicated; help(randformer.load): a trained model."""

import importlib

LATE = ("load", "model")  # imported when asked for, so that whoever does not ask need not wait for torch


def __getattr__(name: str):
    if name not in LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = importlib.import_module(f"{__name__}.model")
    return module if name == "model" else getattr(module, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *LATE})
