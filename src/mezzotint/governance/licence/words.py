"""The closed sets of words that records, facts and verdicts are made of."""

from __future__ import annotations

from enum import IntEnum

USES = ("advertising", "product_design", "content_generation", "internal_research", "evaluation")
STAGES = ("evaluation", "production")
DELIVERIES = ("internal", "outputs_only", "hosted_service", "weights_redistributed", "embedded_product")
ACTIONS = ("inference", "fine_tune", "lora", "distil", "merge", "train_on_outputs")
SAFEGUARDS = ("input_filter", "output_filter", "ai_disclosure", "human_review")
METRICS = ("mau", "muu", "visits")
MODES = ("enforce", "warn")
PLACES = ("organisation", "servers", "end_users", "recipients")
"""Whose countries count: the organisation's, those of its computers, its users, and of who receives the outputs."""

ROLES = (
    *(
        "denoiser",
        "autoencoder",
        "text_encoder",
        "image_encoder",
        "adapter",
        "embedding",
        "control",
        "upscaler",
        "ranker",
    ),
    *("refiner", "prior", "safety", "measure", "training_data"),
)
WHENS = ("always", "share", "service", "distribute")
"""When a duty begins: at any use; with anything that leaves the house, pictures included; when others use the model
through a service or a product; when they get its weights."""

DUES = ("before_use", "with_use", "release")
"""Until when a condition must be met: before the first picture, while in use, before anything is given out."""


class Decision(IntEnum):
    """What is found, the stricter the larger: the largest of several counts."""

    ALLOWED = 0
    ALLOWED_WITH_CONDITIONS = 1
    UNKNOWN = 2
    DENIED = 3

    @property
    def word(self) -> str:
        """As documents have it: allowed_with_conditions."""
        return self.name.lower()

    @property
    def text(self) -> str:
        """For people: allowed with conditions."""
        return self.word.replace("_", " ")
