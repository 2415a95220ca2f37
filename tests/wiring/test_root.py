"""Which root keys there are, and what of them is loaded before the keeper becomes its own user."""

import subprocess
import sys
from pathlib import Path

import pytest

MODULE = Path("/usr/lib/softhsm/libsofthsm2.so")

SCRIPT = """
import sys
from strongroom.config import parse
from strongroom.wiring.root import preload_root

store = b'[store]\\nname = "s"\\n'
preload_root(parse(store))
print("pkcs11" in sys.modules)
hsm = b'[keeper]\\nroot = "pkcs11"\\n[keeper.pkcs11]\\ntoken = "t"\\npin_file = "p"\\nmodule = "%s"\\n'
preload_root(parse(store + hsm % b"/none.so"))
preload_root(parse(store + hsm % sys.argv[1].encode()))
print("strongroom.keys.pkcs11" in sys.modules, "libsofthsm2.so" in open("/proc/self/maps").read())
"""


def test_the_driver_is_loaded_while_its_files_can_be_read() -> None:
    """The binding and the HSM's library, not initialized; with a key in a file neither. One that is missing is told later."""
    if not MODULE.exists():
        pytest.skip("needs SoftHSM (Debian's softhsm2; ./up check installs it)")
    done = subprocess.run([sys.executable, "-c", SCRIPT, MODULE], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("False\nTrue True\n", "")
