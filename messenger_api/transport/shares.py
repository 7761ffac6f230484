"""Places that networks share: each may take what it wants while half of them are free, and then a part."""

from __future__ import annotations

import threading

# Of what is free, one network may hold so much when more than half is taken. So ten networks that take all
# they can leave a third of the other half, and fifty still some.
PART = 8


class Shares:
    """A number of places, and who holds how many."""

    def __init__(self, places: int) -> None:
        self.free = places
        self._half = places // 2
        self._held: dict[str, int] = {}
        self._lock = threading.Lock()

    def take(self, network: str, count: int = 1) -> bool:
        """Have so many places held by a network; False when that is more than its part, or than is free."""
        with self._lock:
            free, held = self.free, self._held.get(network, 0) + count
            if count > free or (free < self._half and held > free // PART):
                return False
            self._held[network] = held
            self.free = free - count
            return True

    def release(self, network: str, count: int = 1) -> None:
        """Free so many places that a network holds."""
        with self._lock:
            left = self._held[network] - count
            if left:
                self._held[network] = left
            else:
                del self._held[network]
            self.free += count

    @property
    def are_few(self) -> bool:
        """Whether more than half of the places are taken."""
        return self.free < self._half
