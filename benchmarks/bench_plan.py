"""How long a patrol plan takes, and what the solver adds to the rule it starts from.

Generated zones in a square, with ways along its sides; synthetic. For each size it prints seconds
on the clock and of the processor, visits, worth against its bound, minutes of travel, and the
minutes by which gaps are longer than two hours: of the rule alone, and of the plan.

    python -m benchmarks.bench_plan [SEEDS]
"""

import sys
import time

import numpy as np

from spatial.patrol.allocation import PlanSpec
from spatial.patrol.compliance import plan_faults
from spatial.patrol.plan import plan_visits

CASES = ((8, 2, 480, 4000.0), (40, 8, 720, 6000.0), (40, 8, 720, 3000.0), (80, 16, 720, 8000.0))
M_PER_MIN = 32_000 / 60


def zones(number, side_m, seed):
    """Expected incidents of each zone, and minutes from zone to zone."""
    rng = np.random.default_rng(seed)
    xy = rng.uniform(0, side_m, (number, 2))
    travel = np.ceil(np.abs(xy[:, None] - xy[None]).sum(axis=2) / M_PER_MIN).astype(np.int64)
    apart = ~np.eye(number, dtype=bool)
    travel[apart] = np.maximum(travel[apart], 1)
    return rng.gamma(1, 1, number), travel


def main(seeds):
    heads = "zones units hours km  seed   clock  cpu  visits   gap   travel (rule)   excess (rule)"
    print(heads)
    for number, units, shift, side_m in CASES:
        for seed in range(1, seeds + 1):
            expected, travel = zones(number, side_m, seed)
            spec = PlanSpec(shift_min=shift, units=units, seed=seed, limit_s=60.0)
            clock, cpu = time.perf_counter(), time.process_time()
            plan = plan_visits(expected, travel, spec)
            clock, cpu = time.perf_counter() - clock, time.process_time() - cpu
            assert plan_faults(plan, travel, spec) == []
            total, rule = plan.total, plan.greedy
            print(
                f"{number:5} {units:5} {shift / 60:5.0f} {side_m / 1000:2.0f} {seed:5} "
                f"{clock:6.1f} s {cpu:4.1f} {total.visits:6} {plan.gap:6.2%} "
                f"{total.travel_min:7} ({rule.travel_min}) {total.excess_min:8} ({rule.excess_min})"
            )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
