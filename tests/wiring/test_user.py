"""Becoming a user of less power."""

import subprocess
import sys
from pathlib import Path

from strongroom.wiring.place import choose_users, reachable
from strongroom.wiring.user import may_separate, preload


def test_becoming_a_user_is_for_good_and_everything_was_loaded_before() -> None:
    """Afterwards the process is that user, cannot go back, makes private files, and dumps no core."""
    if not may_separate():
        return  # only root can become somebody else; CI is root
    script = (
        "import os, resource, sys\n"
        "from strongroom.wiring.user import become, preload\n"
        "preload('strongroom.envelope')\n"
        "become(61149)\n"
        "assert os.getresuid() == (61149,) * 3 and os.getresgid() == (61149,) * 3 and os.getgroups() == []\n"
        "assert os.umask(0) == 0o077 and resource.getrlimit(resource.RLIMIT_CORE) == (0, 0)\n"
        "try:\n    os.setuid(0)\nexcept PermissionError:\n    print('for good')\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stdout == "for good\n", done.stderr


def test_preloading_passes_over_what_cannot_be_imported() -> None:
    """A submodule that needs something missing is no error; a missing package is."""
    preload("strongroom.keeper", "uvicorn")
    assert "strongroom.keeper.door" in sys.modules


def test_users_are_chosen_only_where_they_can_reach_the_store(tmp_path: Path) -> None:
    """Behind a private directory there are none: a border that locks the store's own processes out is no use."""
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    assert not reachable(private / "store")
    assert choose_users(private / "store").keeper == 0
