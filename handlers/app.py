"""What every handler shares: the settings, the models, the limits, and how a page is drawn."""

from dataclasses import dataclass

from handlers.limits import Limits
from handlers.views import Views
from models import Models
from models.logs import Journal
from settings import Settings


@dataclass(frozen=True, slots=True)
class App:
    settings: Settings
    models: Models
    limits: Limits
    views: Views
    journal: Journal
