"""Whether recorded traffic may be replayed here, writes included: whoever replays asks first."""

from tornado.web import HTTPError

from handlers.api import JsonAnswer


class ReplayTarget(JsonAnswer):
    """`/.well-known/replay-target`: 404 wherever the setting is not on, as where nobody has heard of it."""

    public = False

    async def get(self) -> None:
        if not self.app.settings.replay_target:
            raise HTTPError(404)
        self.answer({"replay_target": True})
