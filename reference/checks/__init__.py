"""What a chapter's check cells call.

`same` puts a reader's function beside the reference, `claim` prints a sentence that holds.
"""

from reference.checks.claims import claim
from reference.checks.same import same

__all__ = [
    "claim",
    "same",
]
