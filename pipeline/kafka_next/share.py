"""Who of a group's members gets which partitions."""

from collections.abc import Mapping


def share(partitions: int, held: Mapping[str, frozenset[int]]) -> dict[str, list[int]]:
    """Spread partitions over members so that as few as possible change hands.

    Everyone keeps what they hold up to the fair share, rounded up; what is left goes to those who have least.
    So a member that joins or leaves does not disturb one that holds no more than its share.

    Args:
        partitions: how many there are.
        held: what each member holds at present, by member id.

    Returns:
        The partitions of each member, in order.
    """
    if not held:
        return {}
    most = -(-partitions // len(held))
    shares: dict[str, list[int]] = {}
    free = set(range(partitions))
    for member in sorted(held):
        shares[member] = sorted(held[member] & free)[:most]
        free.difference_update(shares[member])
    for partition in sorted(free):
        member = min(shares, key=lambda member: (len(shares[member]), member))
        shares[member].append(partition)
    return {member: sorted(mine) for member, mine in shares.items()}
