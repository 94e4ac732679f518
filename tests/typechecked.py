"""The run-time type checker of the tests: where a float is expected a whole number will do, as PEP 484 has it."""

from beartype import BeartypeConf, beartype

checked = beartype(conf=BeartypeConf(is_pep484_tower=True))
