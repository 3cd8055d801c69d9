"""The services of an installation, in the order in which discovery lists them."""

from plugin.hooks import claim_submit, encounter_discharge, order_sign
from plugin.hooks.common import HookService
from plugin.settings import Settings


def services(settings: Settings) -> tuple[HookService, ...]:
    """Every service, with the names that the settings give."""
    return (
        order_sign.service(),
        claim_submit.service(settings.claim_hook),
        encounter_discharge.service(),
    )
