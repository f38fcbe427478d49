"""What other tools print for a network, and why: each tool's number is ours, plus what it adds, minus what it misses.

The numbers are those of one forward pass on the CPU in eval mode, as each tool runs it unless told otherwise.
"""

from __future__ import annotations

from collections.abc import Collection

from archcalc.analysis import Analysis
from archcalc.peers.counted_trace import CountedTrace
from archcalc.peers.peer import Peer, PeerError
from archcalc.peers.registry import peers
from archcalc.peers.run import run_tool
from archcalc.trace.inputs import with_values
from archcalc.values.conventions import Conventions, Projection, Term
from archcalc.values.trace import Trace


def conventions(analysis: Analysis, *, run: bool = False, only: Collection[str] = ()) -> Conventions:
    """What each tool prints for a network; with `run` also what those print that are installed, or `only` some.

    `analysis` must have recorded every op.
    """
    wanted = [peer for name, peer in peers().items() if run and name in (only or peers())]
    module = analysis.subject.with_weights() if wanted else analysis.subject.module
    printed: dict[str, int | str] = {}
    for peer in wanted:
        try:
            printed[peer.name] = run_tool(peer, module, *with_values(module, (analysis.args, analysis.kwargs)))
        except PeerError as error:
            printed[peer.name] = str(error)
    return Conventions(analysis.report, projections(analysis.trace), printed if run else None)


def projections(trace: Trace) -> tuple[Projection, ...]:
    """What each tool prints for a traced network."""
    counted = CountedTrace(trace)
    return tuple(projection(peer, counted) for peer in peers().values())


def projection(peer: Peer, counted: CountedTrace) -> Projection:
    """What one tool prints for a traced network."""
    tally = peer.rules(counted)
    if peer.with_gradients and counted.has_frozen_attention:
        tally.doubt("torch may run attention with frozen weights in one piece, which hides what is inside")
    flops = {reason: 2 * macs for reason, macs in tally.terms.items()} | tally.flops
    terms = tuple(Term(_in_macs(count), reason) for reason, count in flops.items() if count)
    macs = _in_macs(2 * counted.macs + sum(flops.values()))
    return Projection(peer.name, peer.unit, macs, terms, tuple(tally.doubts))


def _in_macs(flops: int) -> float:
    """Mult-adds, as an integer unless half of one is left over."""
    return flops / 2 if flops % 2 else flops // 2
