"""Who may run the program that re-encrypts."""

from pathlib import Path

import pytest

from strongroom.errors import ConfigError
from strongroom.wiring import reencrypt


@pytest.mark.parametrize(("users", "root", "good"), [("", False, True), ("all", True, True), ("all", False, False)])
def test_whoever_cannot_become_the_app_is_told_before_anybody_signs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, users: str, *, root: bool, good: bool
) -> None:
    """Where processes have users of their own it takes root; where they have none, anybody who has the files."""
    text = '[store]\nname = "s"\n'
    text += "[users]\nkeeper = 11\napp = 12\nsignin = 13\ncourier = 14\n" if users else ""
    (tmp_path / "strongroom.toml").write_text(text)
    monkeypatch.setattr(reencrypt, "may_separate", lambda: root)
    if good:
        reencrypt.check_user(tmp_path)
    else:
        with pytest.raises(ConfigError, match="different users"):
            reencrypt.check_user(tmp_path)
