"""Who of a group's members gets which partitions."""

from collections.abc import Iterable, Mapping


def share(
    partitions: int, held: Mapping[str, frozenset[int]], wanted: frozenset[int] = frozenset()
) -> dict[str, list[int]]:
    """Spread partitions over members so that as few as possible change hands.

    Everyone keeps what they hold up to the fair share, rounded up; what is left goes to those who have least.
    So a member that joins or leaves does not disturb one that holds no more than its share. What is wanted is
    shared first and by itself, so that a newcomer takes idle partitions and leaves the one that works alone.

    Args:
        partitions: how many there are.
        held: what each member holds at present, by member id.
        wanted: the partitions on which there is work; by default all are alike.

    Returns:
        The partitions of each member, in order.
    """
    if not held:
        return {}
    shares: dict[str, list[int]] = {member: [] for member in sorted(held)}
    busy = wanted & frozenset(range(partitions))
    _spread(busy, held, shares, -(-len(busy) // len(held)))
    _spread(frozenset(range(partitions)) - busy, held, shares, -(-partitions // len(held)))
    return {member: sorted(mine) for member, mine in shares.items()}


def _spread(
    these: Iterable[int], held: Mapping[str, frozenset[int]], shares: dict[str, list[int]], most: int
) -> None:
    free = set(these)
    for member, mine in shares.items():
        kept = sorted(held[member] & free)[: most - len(mine)]
        mine.extend(kept)
        free.difference_update(kept)
    for partition in sorted(free):
        least = min(shares, key=lambda member: (len(shares[member]), member))
        shares[least].append(partition)
