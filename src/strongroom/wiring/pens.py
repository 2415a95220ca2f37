"""The log's signing keys where they lie: seeds among the keeper's secrets, public keys pinned in `keeper/trust`."""

from pathlib import Path

from strongroom.config import Config, Layout
from strongroom.errors import Unavailable
from strongroom.tlog.logkeys import LogSigners
from strongroom.wiring.place import log_keys, log_signers, pin_keys, signer_of
from strongroom.wiring.root import open_root
from strongroom.wiring.secrets import destroy_seed, make_seed, open_secrets, seed_numbers

PROOF = "log-key-{}.tlog-proof"
"""In `keeper/trust`: that the log itself, under the signature of the key before, names the key of this id."""


class StorePens:
    """See `keeper.pens.Pens`."""

    def __init__(self, config: Config, layout: Layout) -> None:
        self._config = config
        self._layout = layout

    def begin(self) -> LogSigners:
        """See `Pens.begin`. A key that a crash left without its announcement is taken up."""
        keys, folder = log_keys(self._layout), self._layout.secrets
        if len(keys.active()) == 1:
            number = max(seed_numbers(folder))
            root = open_root(self._config, self._layout)
            seeds = open_secrets(folder, self._config.store.name, root).log
            newest = signer_of(self._config, seeds[number]).verifier
            if newest in keys.verifiers:
                seed = make_seed(folder, self._config.store.name, number + 1, root)
                newest = signer_of(self._config, seed).verifier
            pin_keys(self._layout, keys.followed_by(newest))
        return self._signers()

    def finish(self, size: int) -> LogSigners:
        """See `Pens.finish`."""
        pin_keys(self._layout, log_keys(self._layout).settled(size))
        signers = self._signers()
        self.tidy()
        return signers

    def tidy(self) -> None:
        """Destroy the seeds of retired keys, also those that a crash left."""
        secrets = open_secrets(self._layout.secrets, self._config.store.name, open_root(self._config, self._layout))
        retired = set(log_keys(self._layout).verifiers) - set(log_keys(self._layout).active())
        for number, seed in secrets.log.items():
            if signer_of(self._config, seed).verifier in retired:
                destroy_seed(self._layout.secrets, number)

    def proven(self, key_id: bytes) -> bool:
        """See `Pens.proven`."""
        return self._proof(key_id).is_file()

    def keep(self, key_id: bytes, proof: bytes) -> None:
        """See `Pens.keep`."""
        place = self._proof(key_id)
        beside = place.with_name(f".{place.name}.new")
        try:
            beside.write_bytes(proof)
            beside.chmod(0o600)
            beside.replace(place)
        except OSError as error:
            msg = f"The proof of the log's new key cannot be written: {error.strerror}."
            raise Unavailable(msg, advice="Look at the disk of the keeper's directory.") from error

    def _proof(self, key_id: bytes) -> Path:
        return self._layout.trust / PROOF.format(key_id.hex())

    def _signers(self) -> LogSigners:
        secrets = open_secrets(self._layout.secrets, self._config.store.name, open_root(self._config, self._layout))
        return log_signers(self._config, self._layout, secrets)
