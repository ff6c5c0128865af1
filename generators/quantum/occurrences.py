"""A circuit with one symbol for each place where a symbol occurs, and the shift rule of each.

A weight used by several gates is several angles: each is shifted alone, and the derivatives add up.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import cirq
import numpy as np
import sympy

from generators.quantum.errors import UnsupportedGateError
from generators.quantum.gates import linear
from generators.quantum.gradients import Stencil, shift_rule

if TYPE_CHECKING:
    from generators.quantum.circuits import Ansatz

_ONE_FREQUENCY = (
    cirq.XPowGate,
    cirq.YPowGate,
    cirq.ZPowGate,
    cirq.HPowGate,
    cirq.CZPowGate,
    cirq.CXPowGate,
    cirq.XXPowGate,
    cirq.YYPowGate,
    cirq.ZZPowGate,
    cirq.SwapPowGate,
)
_TWO_FREQUENCIES = (cirq.ISwapPowGate, cirq.PhasedISwapPowGate)


@dataclass(slots=True, kw_only=True)
class Occurrences:
    """What `split` found.

    Args:
        circuit: With its own symbol for each occurrence.
        names: Those symbols, in order.
        symbols: The symbol that each of them stands for.
        rules: How to differentiate by each.

    """

    circuit: cirq.Circuit = field(default_factory=cirq.Circuit)
    names: list[str] = field(default_factory=list)
    symbols: list[str] = field(default_factory=list)
    rules: list[Stencil] = field(default_factory=list)

    def split_operation(self, operation: cirq.Operation) -> cirq.Operation:
        """Return the operation with fresh symbols."""
        fresh = {}
        for symbol in sorted(cirq.parameter_names(operation)):
            name = f"s_{len(self.names):05d}"
            fresh[symbol] = sympy.Symbol(name)
            self.names.append(name)
            self.symbols.append(symbol)
            self.rules.append(_rule(operation, symbol))
        return cirq.resolve_parameters_once(operation, fresh) if fresh else operation


def split(ansatz: Ansatz) -> Occurrences:
    """Return the occurrences of an ansatz's symbols; the moments stay as they are.

    Raises:
        UnsupportedGateError: A gate has no known shift rule.

    """
    found = Occurrences()
    found.circuit = cirq.Circuit(
        cirq.Moment(found.split_operation(operation) for operation in moment)
        for moment in ansatz.circuit
    )
    return found


def _rule(operation: cirq.Operation, symbol: str) -> Stencil:
    gate: Any = operation.gate
    if isinstance(gate, _ONE_FREQUENCY):
        return shift_rule(1, frequency=abs(linear(gate.exponent, np.pi)[symbol]))
    if isinstance(gate, _TWO_FREQUENCIES):
        return shift_rule(2, frequency=abs(linear(gate.exponent, np.pi / 2)[symbol]))
    raise UnsupportedGateError(
        f"no shift rule is known for {operation}.",
        hint='Write it with simpler gates, or use gradient="finite_difference".',
    )
