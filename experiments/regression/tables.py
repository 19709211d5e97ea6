"""The tables of the runs on sinusoids."""

from experiments.columns import about, cell, in_columns, over_runs, table
from reference.results import rows, select

LEARNERS = ("MAML", "one learned rate", "a learned rate for each array", "Meta-SGD")
LEARNERS += ("first-order MAML", "Reptile", "pretraining", "never trained", "oracle")
AWAY = 10  # an error that no answer of 0 to everything has: some task ran away


def ran_away(mean: float | None) -> bool:
    """Whether the mean error over the tasks says that it did for one of them."""
    return mean is None or mean > AWAY


def sinusoids() -> str:
    """One line a learner and K: the mean squared error after some gradient steps."""
    found = [
        about(
            row._replace(mean=None) if ran_away(row.mean) else row,
            K=row.about["k_shot"],
            learner=row.about["learner"],
            steps=f"{row.about['inner_steps']} steps",
            **{"inner rate": row.about["inner_lr"]},
        )
        for row in rows(select("regression", data="sinusoids", seed=0))
    ]
    found.sort(key=lambda row: (row.about["K"], LEARNERS.index(row.about["learner"])))
    return table(found, down=("K", "learner", "inner rate"), across="steps")


RATES = ("maml", "learned-rate", "learned-rates", "meta-sgd")


def rates_over_runs() -> str:
    """MAML and the learners of rates, K = 10: the mean over runs, or in how many some task ran away."""
    errors: dict[tuple, list[float | None]] = {}
    for variant in RATES:
        for result in select("regression", variant=variant, k_shot=10):
            for row in result.rows:
                errors.setdefault((row.about["learner"], row.about["inner_steps"]), []).append(row.mean)
    lines: dict[str, list[str]] = {}
    for (learner, _), means in errors.items():
        away = sum(map(ran_away, means))
        lines.setdefault(learner, []).append(
            f"diverges in {away} of {len(means)}" if away else cell(over_runs(means, "mean squared error"))
        )
    steps = [f"{n} steps" for n in sorted({n for _, n in errors})]
    return in_columns([["learner", *steps], *([learner, *cells] for learner, cells in lines.items())])
