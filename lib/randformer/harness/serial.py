"""How a config is written into records: the only place that knows the names which fields have there.

A run's key is a hash of its config, so a config must not change when the library grows. The fields of FIRST stand in
every config, under the name given behind "=" where it is another one than in the code. A field added later stands there
only where it is not at its default: the runs that there were before keep their keys. So such a default is never
changed; to change what it means, raise the task's NUMERICS.
"""

import math
from dataclasses import MISSING, Field, fields, is_dataclass

FIRST = {
    "NetworkRun": "task network objective=model training run_index=number",
    "Network": "width layers heads key_size attention mlp layer_norm embedding",
    "Objective": "q m fixed_seed",
    "GradientTraining": "steps batch warmup learning_rate=peak final_learning_rate=final"
    " beta1 beta2 eps weight_decay clip",
    "RisingQ": "rise",
    "PGPE": "generations=steps population=batch learning_rate=rate std_learning_rate=std_rate std beta1 beta2 eps",
    "Recall": "n bits seed_bits queries",
    "Coloring": "n noise seeds_per self_loop",
    "GridWorld": "n episode seed_size",
}


def encoded(config):
    """A dataclass, or a value in one, as JSON has it."""
    if is_dataclass(config):
        names = serial_names(type(config))
        return {
            names.get(field.name, field.name): encoded(value)
            for field in fields(config)
            if (value := getattr(config, field.name)) != default(field) or field.name in names
        }
    return "inf" if config == math.inf else config  # JSON has no such number


def serial_names(kind: type) -> dict[str, str]:
    """{field: its name in records} of the fields that always stand there."""
    listed = [name.split("=") for base in kind.__mro__ for name in FIRST.get(base.__name__, "").split()]
    return {name[0]: name[-1] for name in listed}


def default(field: Field):
    """A field's default; MISSING where it has none, which equals no value."""
    return field.default if field.default_factory is MISSING else field.default_factory()
