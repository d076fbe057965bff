"""What a record costs when something grows tenfold, in memory: it should cost the same."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from detectors.classify.gate import Gate
from detectors.register import read_register
from detectors.rules.ruleset import RuleSet, compile_rules
from detectors.verdicts import Verdicts
from monitor.pipeline import Context, process
from tests.bench import presidio_alone
from tests.bench.mix import Mix
from tests.bench.pipeline import REGISTER, batches, context, measured, parse
from tests.bench.report import Grown

_ROUNDS = 3
_PACKS = Path(__file__).parents[2] / "detectors" / "rules" / "packs"


def growth(records: int) -> list[Grown]:
    """Measure each table row, each on so many records."""
    base = _cost(Mix(1), records)
    rows = [
        Grown("records", f"{records:,}", f"{records * 10:,}", base[0], *_cost(Mix(1), records * 10)),
        Grown("persons", "2,000", "20,000", _cost(Mix(1, visitors=2_000), records)[0], *base),
        Grown("rules", "1 pack", "5 packs", base[0], *_cost(Mix(1), records, _with_rules(5))),
        Grown("register entries", "1 x", "10 x", base[0], *_cost(Mix(1), records, _with_entries(10))),
    ]
    rows += [
        Grown("share with personal data", "0.12", f"{share}", base[0], *_cost(Mix(1, personal=share), records))
        for share in (0.0, 0.5)
    ]
    rows += [
        Grown("length of bodies", "1 x", f"{scale} x", base[0], *_cost(Mix(1, scale=scale), records))
        for scale in (4, 16)
    ]
    return rows


def presidio() -> float:
    """Give the microseconds that Presidio's own recognizers by regular expression take for a record of the mix."""
    texts = [each.value.decode() for each in Mix(1).records(40)]
    began = time.process_time()
    for text in texts:
        presidio_alone.analyze(text)
    return (time.process_time() - began) / len(texts) * 1e6


def _cost(mix: Mix, records: int, change: Callable[[Context], Context] = lambda by: by) -> tuple[float, float]:
    """Give the microseconds of CPU for a record, and their ratio to parsing the same bytes."""
    by, work = change(context(mix)), batches(mix, records)
    for batch in work:
        process(batch, by, {})
    judged, parsed = measured([lambda batch: process(batch, by, {}), parse], work, _ROUNDS)
    return judged / records * 1e6, judged / parsed


def _with_rules(times: int) -> Callable[[Context], Context]:
    def change(by: Context) -> Context:
        files = {str(each.relative_to(_PACKS.parent)): each.read_text() for each in sorted(_PACKS.rglob("*.yaml"))}
        copies = {name: text for number in range(times) for name, text in _copied(files, number).items()}
        rules, problems = compile_rules(copies)
        if rules is None:
            raise SystemExit("\n".join(map(str, problems[:5])))
        return _known_anew(by, rules=rules)

    return change


def _copied(files: Mapping[str, str], number: int) -> dict[str, str]:
    if not number:
        return dict(files)
    copied = {}
    for name, text in files.items():
        place = Path(name)
        if place.name.startswith(("pack.", "lists.", "macros.")) or "\nid: " not in f"\n{text}":
            copied[name] = text
            continue
        old = next(line.removeprefix("id: ").strip() for line in text.splitlines() if line.startswith("id: "))
        new = f"{old}-copy{number}"
        copied[str(place.with_name(f"{new}.yaml"))] = text.replace(f"id: {old}\n", f"id: {new}\n", 1)
    return copied


def _with_entries(times: int) -> Callable[[Context], Context]:
    def change(by: Context) -> Context:
        text = REGISTER.read_text()
        more = "".join(
            f'  - id: extra-{number}\n    hosts: ["extra-{number}.example"]\n    names: ["Extra {number}"]\n'
            f"    entity: Extra {number}\n    role: processor\n    countries: [US]\n    purposes: [support]\n"
            "    mechanism: {kind: none}\n"
            for number in range(len(by.know.register.entries) * (times - 1))
        )
        register, problems = read_register(text.rstrip("\n") + "\n" + more, "register.yaml")
        if register is None:
            raise SystemExit("\n".join(map(str, problems[:5])))
        return _known_anew(by, register=register)

    return change


def _known_anew(by: Context, *, rules: RuleSet | None = None, register: Any = None) -> Context:
    know = msgspec.structs.replace(by.know, register=register) if register is not None else by.know
    rules = rules or by.rules
    made = msgspec.structs.replace(by, know=know, rules=rules, gate=Gate(know, has_baseline=by.baseline is not None))
    return msgspec.structs.replace(made, verdicts=Verdicts(made, rules, by.baseline))
