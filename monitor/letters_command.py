"""`privacy-monitor dead-letters show`: the bytes of a record that could not be read, for who holds the secret."""

import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from detectors.documents import Problem
from monitor.context import load_all
from monitor.explain_sources import record_at
from monitor.files import ConfigProblems
from monitor.kafka import KafkaProblem
from topics.accounting import DeadLetter
from topics.catalog import DEAD_LETTERS
from topics.sealing import SealBroken

letters_app = typer.Typer(help="Records that could not be read.", no_args_is_help=True)


@letters_app.command()
def show(
    offset: Annotated[int, typer.Option(help=f"Offset of the letter in {DEAD_LETTERS.name}.")],
    partition: Annotated[int, typer.Option(help="Partition of the letter.")] = 0,
    config: Annotated[Path, typer.Option("--config", "-c", help="Configuration file.")] = Path("monitor.yaml"),
) -> None:
    """Write the original bytes of a dead letter to standard output. They may hold personal data: mind where they go."""
    _, loaded, kafka = load_all(config)
    if loaded.seal is None:
        raise ConfigProblems(
            [
                Problem(
                    str(config),
                    0,
                    "dead_letters",
                    "no bytes are kept; name a secret here to keep those of the next letters",
                )
            ]
        )
    record, _ = record_at(kafka, DEAD_LETTERS.name, partition, offset)
    try:
        letter = msgspec.json.decode(record.value or b"", type=DeadLetter)
    except msgspec.DecodeError:
        raise KafkaProblem(f"there is no dead letter at {DEAD_LETTERS.name}/{partition}/{offset}") from None
    if not letter.sealed:
        raise KafkaProblem(
            "this letter holds no bytes: it was written without a secret, or its record was too large or empty"
        )
    try:
        sys.stdout.buffer.write(loaded.seal.open(letter.sealed, letter.place))
    except SealBroken as broken:
        raise KafkaProblem(f"this letter cannot be opened: {broken}") from None
