"""What the stack needs to know of each of its servers."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from string import Template

from schemas.errors import NotReady

TEMPLATES = Path(__file__).parent / "templates"


class Part(ABC):
    """One embedded server: how it is prepared, started and asked. Its data and log live under `home`."""

    name: str
    title: str
    ports: tuple[str, ...] = ("port",)
    """The ports that it needs; the first is the one that clients use."""

    def __init__(self, home: Path) -> None:
        self.home = home.absolute()
        self.data = self.home / "data" / self.name
        self.log = self.home / "logs" / f"{self.name}.log"
        self.config = self.home / "run" / self.name

    @abstractmethod
    def wanted_port(self, which: str) -> int:
        """The port that the settings ask for; 0 = any free one."""

    @abstractmethod
    def address(self, port: int) -> str:
        """What clients are told."""

    @abstractmethod
    def prepare(self, ports: dict[str, int], say: Callable[[str], None]) -> list[str]:
        """Write the configuration, format the storage when it is new, and return the command to start."""

    @abstractmethod
    def ask(self, port: int, seconds: float) -> None:
        """Ask whether it can work; raise NotReady with the reason."""

    def environment(self) -> dict[str, str]:
        """Variables on top of ours."""
        return {}

    def answers(self, port: int, seconds: float = 5.0) -> bool:
        """Whether it can work now."""
        try:
            self.ask(port, seconds)
        except NotReady:
            return False
        return True

    def fill(self, template: str, **values: object) -> Path:
        """A configuration file made from a template."""
        self.config.mkdir(parents=True, exist_ok=True)
        path = self.config / template
        path.touch(mode=0o600)  # it may hold a password
        path.write_text(Template((TEMPLATES / template).read_text()).substitute({k: str(v) for k, v in values.items()}))
        return path
