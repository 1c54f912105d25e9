"""All that chronology knows: the window, the flags that were raised, and what is normal for each source."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from pipeline.chronology.norms import Gathered, Norm, norm_of
from pipeline.chronology.report import Report
from pipeline.chronology.window import Window
from schemas.flag import Flag
from schemas.records import Baseline

STANDING = ("open", "confirmed")


@dataclass(slots=True)
class State:
    """The state of the stage.

    Attributes:
        window: what was folded.
        flags: the latest state of every flag, by flag_id.
        flagged: item_id to the ids of its flags.
        baselines: by source.
        gathered: values since the boundary, by source.
        rulings: flag_id to the stage time of an operator's word on it.
        boundary: the last one; none before the first.
    """

    window: Window = field(default_factory=Window)
    flags: dict[str, Flag] = field(default_factory=dict)
    flagged: dict[str, dict[str, None]] = field(default_factory=dict)
    baselines: dict[str, Baseline] = field(default_factory=dict)
    gathered: dict[str, Gathered] = field(default_factory=dict)
    rulings: dict[str, datetime] = field(default_factory=dict)
    boundary: datetime | None = None
    _norms: dict[tuple[str, str], Norm] = field(default_factory=dict, repr=False, compare=False)

    def put(self, key: str, flag: Flag | None) -> None:
        """Take in the latest state of a flag; none: it is gone."""
        before = self.flags.pop(key, None)
        for subject in () if before is None else before.subjects:
            ids = self.flagged[subject.item_id]
            ids.pop(key, None)
            if not ids:
                del self.flagged[subject.item_id]
        if flag is not None:
            self.flags[key] = flag
            for subject in flag.subjects:
                self.flagged.setdefault(subject.item_id, {})[key] = None

    def standing(self, item_ids: Iterable[str]) -> list[Flag]:
        """Give the flags on these items that are neither explained nor withdrawn, by flag_id."""
        found = {key for item_id in item_ids if item_id in self.flagged for key in self.flagged[item_id]}
        return [flag for key in sorted(found) if (flag := self.flags[key]).state in STANDING] if found else []

    def learn(self, source: str, baseline: Baseline | None) -> None:
        """Take in what is normal for a source; none: nothing is known of it any more."""
        if baseline is None:
            self.baselines.pop(source, None)
        else:
            self.baselines[source] = baseline
        self._norms.clear()

    def norm(self, report: Report) -> Norm:
        """Give what is normal for the report's source."""
        key = report.source, report.delivery
        norm = self._norms.get(key)
        if norm is None:
            norm = self._norms[key] = norm_of(self.baselines.get(report.source), report.delivery)
        return norm

    def gathering(self, report: Report) -> Gathered:
        """Give the values of the report's source since the boundary, to add to."""
        found = self.gathered.get(report.source)
        if found is None:
            found = self.gathered[report.source] = Gathered()
        return found
