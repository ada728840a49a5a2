"""Which plan of an upstream is used: from the settings, and for `auto` from what worked last time.

A key does not say to which plan it belongs; the wrong host answers with an error number that does.
"""

import hashlib

from collectors.model import Plan, Refused, Upstream
from storage import ledger
from storage.settings import Settings

# CoinGecko: "this is a Pro key, use the pro host" and the reverse.
_OTHER_PLAN = {"10010": "pro", "10011": "demo"}


def _memo(settings: Settings, upstream: Upstream) -> str:
    key = settings.secret(upstream.key or "") or ""
    # Ten hex digits tell two keys apart and tell nobody the key.
    return f"plan:{upstream.name}:{hashlib.sha256(f'{upstream.name}:{key}'.encode()).hexdigest()[:10]}"


def choose(settings: Settings, upstream: Upstream) -> Plan:
    """The plan to try first."""
    if len(upstream.plans) == 1 or not upstream.key or not settings.secret(upstream.key):
        return upstream.plans[0]
    name: str = settings.coingecko_plan
    if name == "auto":
        name = ledger.recall(settings, _memo(settings, upstream)) or "demo"
    return next((plan for plan in upstream.plans if plan.name == name), upstream.plans[0])


def other(settings: Settings, upstream: Upstream, refused: Refused) -> Plan | None:
    """The plan that a refusal points to, remembered for next time; None where the plan was chosen
    by hand or the refusal is about something else."""
    name = _OTHER_PLAN.get(refused.detail)
    if name is None or len(upstream.plans) == 1 or settings.coingecko_plan != "auto" or not upstream.key:
        return None
    plan = next((plan for plan in upstream.plans if plan.name == name), None)
    if plan is not None:
        ledger.remember(settings, _memo(settings, upstream), plan.name)
    return plan


def base(settings: Settings, upstream: Upstream, plan: Plan) -> str:
    """Base URL: one that was set by hand beats the plan's own host."""
    url = str(getattr(settings, upstream.url))
    return plan.base if plan.base and upstream.url not in settings.model_fields_set else url
