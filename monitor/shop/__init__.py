"""The demo shop: a seeded simulator of an online shop that writes real formats and knows what it planted.

It judges the detectors, so it shares no code with them.
"""

from monitor.shop.pieces import Detector, Expected, Piece, Plant, Role
from monitor.shop.play import Shop, lawful_day
from monitor.shop.truths import KINDS, Truth

__all__ = ["KINDS", "Detector", "Expected", "Piece", "Plant", "Role", "Shop", "Truth", "lawful_day"]
