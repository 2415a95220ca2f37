"""The issuer's own tokens, presented back to it. Checked by the very verifier that the keeper uses.

That verifier wants the circumstances of the request signed; here signer and verifier are one, so a key of the moment
serves.
"""

from strongroom.clock import Millis
from strongroom.envelope import small
from strongroom.identity.context import ContextKey, ContextVerifier, Signer, sign_context
from strongroom.identity.dpop import Proofs
from strongroom.identity.issuers import Issuer, Issuers, Pin
from strongroom.identity.refusal import Refusal
from strongroom.identity.sessions import Revoked
from strongroom.identity.signing import SigningKey
from strongroom.identity.token import Verified, Verifier
from strongroom.signin.settings import Settings


class OwnTokens:
    """Believes tokens under `key`, and no others."""

    def __init__(self, settings: Settings, key: SigningKey, proofs: Proofs) -> None:
        itself = Issuer(Pin(settings.issuer, settings.audience, key.public.algorithms))
        itself.offer(key.jwks(), Millis(0))
        self._verifier = Verifier(Issuers([itself]), Revoked(), proofs)
        self._signer = ContextKey(small.new_key(), Signer.LOCAL)
        self._contexts = ContextVerifier([self._signer])

    def verify(self, token: str, proof: str, url: str, address: str, now: Millis) -> Verified | Refusal:
        """Whose token it is, for a POST to `url`."""
        signed = sign_context(self._signer, token=token, address=address, now=now, method="POST", url=url)
        context = self._contexts.verify(signed, now)
        return context if isinstance(context, Refusal) else self._verifier.verify(token, proof, context, now)
