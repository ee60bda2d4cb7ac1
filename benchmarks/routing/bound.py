"""A bound below every rule: each order goes at once to whoever will turn out best, and nobody is ever busy."""

from benchmarks.routing.fates import fate_of
from benchmarks.routing.world import N_ATTEMPTS, REFERENCE, World


def losses(world: World) -> list[float]:
    """Return for each order the least loss that any vendor's luck allows when asked as the order comes in."""
    return [_least(world, number) for number in range(len(world.orders))]


def _least(world: World, number: int) -> float:
    order = world.orders[number]
    weights, least = order.weights, float("inf")
    for place, vendor in enumerate(world.vendors):
        price = weights.cost * vendor.price_micro / REFERENCE.price_micro
        for attempt in range(N_ATTEMPTS):
            fate = fate_of(world, number, place, attempt, order.at_s)
            if fate.ending == "delivered":
                error = weights.accuracy * fate.error / REFERENCE.error
                least = min(least, price + weights.speed * fate.ended_s / order.ref_time_s + error)
    return least
