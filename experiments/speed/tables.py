"""The tables of what was timed."""

from experiments.columns import about, table
from reference.results import select


def speeds(variant: str, *measures: str, case: str) -> str:
    """One line a case and way, one column a measure."""
    found = [
        about(row, **{case: row.about["case"], "way": row.about["way"], "measure": row.measure})
        for result in select("speed", variant=variant)
        for row in result.rows
        if row.measure in measures
    ]
    return table(found, down=(case, "way"), across="measure")


def speed() -> str:
    """One training step of prototypical networks."""
    (result,) = select("speed", variant="prototypical")
    seconds = {row.about["way"]: row for row in result.rows if row.measure == "seconds, median"}
    found = []
    for way, row in seconds.items():
        ratio = row._replace(measure="times as fast as it comes", mean=seconds["as it comes"].mean / row.mean)
        for each in (row, ratio):
            found.append(about(each, **{"one training step": way, "measure": each.measure}))
    return table(found, down=("one training step",), across="measure")


def maml_speed() -> str:
    """One outer step on sinusoids."""
    measures = ("milliseconds, median", "times as fast as the loop")
    return speeds("maml", *measures, case="outer step on sinusoids")


def maml_images_speed() -> str:
    """One outer step on images."""
    measures = ("seconds, median", "times as fast as the loop", "megabytes, peak")
    return speeds("maml-images", *measures, case="outer step on images")


def unroll_speed() -> str:
    """One outer step by either gradient of PyTorch."""
    measures = ("milliseconds, median", "times as fast as torch.func.grad")
    return speeds("unroll", *measures, case="outer step of MAML")


def comparing_speed() -> str:
    """One training step of networks that compare."""
    measures = ("milliseconds, median", "times as fast as plain PyTorch", "times as fast as easyfsl")
    return speeds("comparing", *measures, case="training step")


def ntm_speed() -> str:
    """The gradient of a neural Turing machine, by each way; before it is measured, the head alone."""
    found = [
        about(row, batch=row.about["batch"], way=row.about["way"], measure=row.measure)
        for result in select("speed")
        if result.variant == "ntm"
        for row in result.rows
        if row.measure == "milliseconds, median" or row.measure.startswith("times")
    ]
    return table(found, down=("batch", "way"), across="measure")


def ntm_length_speed() -> str:
    """The gradient of the machine by the length of the sequence, whole and truncated."""
    return speeds("ntm-length", "milliseconds, median", "megabytes, peak", case="sequence")
