"""Memory that is freed is used again."""

import subprocess
import sys

PROGRAM = """
import resource
from strongroom.wiring.memory import keep_freed

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(200):
        pieces = [bytes(250_000), bytes(260_000), bytes(250_000)]
        del pieces
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

keep_freed()
faults()
print(faults())
"""


def test_a_piece_is_not_asked_from_the_system_each_time() -> None:
    """Of 180 pages for each of 200 turns hardly any is new. In a program of its own: it holds for the whole process."""
    told = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, check=True, text=True)
    assert int(told.stdout) < 200
