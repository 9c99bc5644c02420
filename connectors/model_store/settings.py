"""Where the trained models are kept, who may release them, and how slow one may be."""

from pydantic import BaseModel, Field, SecretStr


class ModelSettings(BaseModel, extra="forbid"):
    """The store of models: a folder, or S3 and what speaks its protocol, such as MinIO."""

    store: str = Field(default="", max_length=150)
    """A folder, or s3://bucket/prefix; empty = `<home>/models`."""
    s3_endpoint: str = Field(default="", pattern="^(https?://[^/]+)?$")
    """http[s]://host:port of a server that is not Amazon's."""
    s3_region: str = ""
    s3_access_key: str = ""
    """Empty = whatever the environment gives: variables, a profile, the machine's role."""
    s3_secret_key: SecretStr = SecretStr("")
    signing_key: SecretStr | None = Field(default=None, min_length=16)
    """Releases are signed with it and workers take no others; None = the one in `<home>/models.key`, which the first
    release makes."""
    slow_us_per_row: float = 20.0
    """A model is refused that needs more CPU for a row, in batches of 1,000; a scorecard with reasons needs 4 to 8."""
