"""Where a secret is kept: never in the configuration itself."""

from pathlib import Path

from pydantic import Field, model_validator

from detectors.documents import Written


class Secret(Written):
    """Where a secret is kept. Exactly one of the two."""

    file: Path | None = Field(None, description="File that holds the secret; a trailing newline is dropped.")
    env: str | None = Field(None, description="Environment variable that holds the secret.")

    @model_validator(mode="after")
    def _one(self) -> "Secret":
        if (self.file is None) == (self.env is None):
            raise ValueError("give exactly one of `file` and `env`")
        return self
