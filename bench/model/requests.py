"""Operations of the model, as requests of the keeper's protocol."""

from bench.model.spec import Op
from strongroom.keeper import protocol as p


def of(op: Op, asking: p.Asking) -> p.AppRequest:  # noqa: C901, PLR0912  # one branch an operation
    """The request that this operation is."""
    match op.kind:
        case "release":
            return p.Release(asking=asking, document=op.document, version=op.version, start=op.start, length=op.length)
        case "one":
            return p.List(asking=asking, document=op.document, version=op.version)
        case "page":
            return p.List(asking=asking, patient=op.patient, after=op.document or None, limit=op.length or 1)
        case "delete":
            return p.Delete(asking=asking, document=op.document)
        case "relabel":
            return p.Relabel(asking=asking, document=op.document, category=op.category)
        case "share":
            return p.Share(asking=asking, patient=op.patient, party=op.party, until=op.until)
        case "delegate":
            return p.Delegate(asking=asking, patient=op.patient, account=op.party, full=op.flag, until=op.until)
        case "withhold":
            return p.Withhold(
                asking=asking, patient=op.patient, party=op.party, category=op.category, lift=op.flag,
                rule_out_glass=op.length == 1,
            )  # fmt: skip
        case "glass":
            return p.BreakGlass(asking=asking, patient=op.patient, reason="r" if op.flag else " ")
        case "deposit":
            return p.Deposit(asking=asking, patient=op.patient, category=op.category, content_type="text/plain")
        case "deposited":
            size = op.length or 0
            return p.Deposited(ticket=op.ticket, size=size, sealed_size=size + 100)
        case "step_up":
            return p.StepUp(asking=asking)
        case "logout":
            return p.Logout(asking=asking)
    raise AssertionError(op.kind)
