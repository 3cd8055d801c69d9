"""order-sign: draft ServiceRequests of therapy, with the Procedures of the Encounter."""

from cds_hooks.request import HookRequest
from cds_hooks.service import Hook, Service
from mappings.fhir import checks
from mappings.fhir.lines import order_name
from mappings.fhir.reader import Records
from mappings.fhir.record import Context
from mappings.fhir.visits import order_visits
from mappings.visit import Visit
from plugin.hooks.common import SHARED, Drafted, HookService, add_orders
from plugin.prefetch_reading import DECODED


def service() -> HookService:
    """The service `visitcue-order-sign`."""
    return HookService(
        Service(
            id="visitcue-order-sign",
            hook=Hook(("order-sign",), ("userId", "patientId", "draftOrders"), "draftOrders"),
            title="VisitCue: therapy orders",
            description="Reviews draft orders for therapy and manipulation: units by minutes, modifiers 59, 25 and"
            " GP, and the documentation that the payer's policy asks for.",
            usage_requirements="Works from prefetch alone. Orders need a CPT or HCPCS code; other orders are ignored.",
            prefetch=SHARED,
        ),
        DECODED,
        _drafted,
        _in_scope,
        _visits,
    )


def _drafted(request: HookRequest, records: Records) -> Drafted:
    drafted = Drafted()
    add_orders(request.resource, "context.draftOrders", records, drafted)
    return drafted


def _in_scope(drafted: Drafted) -> bool:
    return drafted.lines > 0


def _visits(drafted: Drafted, records: Records, context: Context) -> list[Visit]:
    for index, order in drafted.orders:
        checks.order(order, order_name(index, order), records)
    return order_visits(drafted.orders, records, context)
