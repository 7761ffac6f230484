"""Numbers in a stream of bits, as the headers of video codecs hold them."""

from __future__ import annotations

from messenger_api.domain.cleaning.parts import Unreadable

_LONGEST_GOLOMB = 32


class Bits:
    """Reads one number after the other."""

    def __init__(self, data: bytes) -> None:
        self._bits = int.from_bytes(data)
        self._left = len(data) * 8

    def take(self, number: int) -> int:
        """The next `number` bits as an unsigned integer.

        Raises:
            Unreadable: there are fewer.
        """
        self._left -= number
        if self._left < 0:
            raise Unreadable("a header ends too early")
        return self._bits >> self._left & ((1 << number) - 1)

    def golomb(self) -> int:
        """The next number in Exp-Golomb code: `ue(v)` of ITU-T H.265, 9.2.

        Raises:
            Unreadable: it is cut, or longer than any is.
        """
        zeros = 0
        while not self.take(1):
            zeros += 1
            if zeros > _LONGEST_GOLOMB:
                raise Unreadable("an endless number")
        return (1 << zeros) - 1 + self.take(zeros)
