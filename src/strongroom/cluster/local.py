"""Every part in this process, one after the other: what a cluster does, for tests and for looking closely at."""

from collections.abc import Iterator
from itertools import chain, groupby

from strongroom.cluster.piece import ONE, Piece, Read, Work

Data = list[list[Piece]]
"""Pieces, as the parts made them."""


class Local:
    """A `Cluster` of so many parts."""

    def __init__(self, parts: int) -> None:
        self.parts = parts

    def read(self, many: int, work: Read) -> Data:
        """See `Cluster`."""
        return [list(work(at)) for at in range(many)]

    def meet(self, data: Data) -> Data:
        """See `Cluster`."""
        every = [piece for piece in chain(*data) if piece.part != ONE]
        return [[piece for piece in every if piece.part == part] for part in range(self.parts)]

    def turn(self, data: Data, work: Work) -> Data:
        """See `Cluster`."""
        return [list(turned(iter(pieces), work)) for pieces in data]

    def gather(self, data: Data) -> Iterator[Piece]:
        """See `Cluster`."""
        return (piece for piece in chain(*data) if piece.part == ONE)


def turned(pieces: Iterator[Piece], work: Work) -> Iterator[Piece]:
    """What is made of pieces of which those for one part stand behind each other."""
    for part, own in groupby((piece for piece in pieces if piece.part != ONE), key=lambda piece: piece.part):
        yield from work(part, own)
