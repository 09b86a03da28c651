"""The live results of a poll: a WebSocket on which the server speaks and the reader only listens."""

import struct
from contextlib import suppress

from tornado.iostream import IOStream, StreamBufferFullError, StreamClosedError
from tornado.web import HTTPError
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from handlers import origin
from handlers.api import JsonAnswer
from handlers.statuses import Told
from handlers.voters import voter_of
from models.errors import Busy
from models.live import MOST_LISTENERS, RESTART
from models.polls import Poll
from models.traces import TRACE

MOST_UNREAD = 65_536  # B that wait for a reader who does not read
MOST_SAID = 1_024  # B of one message of a reader, who has nothing to say
MOST_PINGS = 100  # of a reader between two of ours
_SPOKEN, _TRY_AGAIN = 1008, 1013  # codes of closing: readers do not speak; there is no room at this moment


class LiveResults(JsonAnswer, WebSocketHandler):
    """`/polls/<id>/live`. Refusals are answers of HTTP before the handshake, and after it codes of closing, which scripts see."""

    public = False  # who asks decides what is sent
    came_from = ""
    voted = False
    answered = True
    _poll_id = 0
    _pings = 0
    _stream: IOStream | None = None

    @property
    def max_message_size(self) -> int:
        return MOST_SAID

    async def get(self, id: str) -> None:
        """Raises NotFound, HTTPError 403 and 426, Busy."""
        if self.request.headers.get("Upgrade", "").lower() != "websocket":
            raise HTTPError(426, "no WebSocket")
        if origin.made_elsewhere(self.request):
            raise HTTPError(403, "cross-origin")
        models = self.app.models
        if len(models.live) >= MOST_LISTENERS:
            raise Busy("too many watch already", retry_after=30)
        poll = await models.polls.seen(int(id))
        self.voted = await self._has_voted(poll)
        self._poll_id, self.came_from = poll.id, self.address
        # A replay listens from one address.
        if models.live.crowded(self.came_from) and not self.app.settings.replay_target:
            raise Busy("too many watch from there already", retry_after=30)
        await super().get(id)

    def refusal(self, error: BaseException | None, status: int) -> Told:
        told = super().refusal(error, status)
        return told._replace(headers={"Upgrade": "websocket"}) if told.status == 426 else told

    async def _has_voted(self, poll: Poll) -> bool:
        """Asked only where it decides something: now, or when a closed poll is opened again."""
        voter = voter_of(self, visitors=poll.visitors) if poll.results == "after_vote" else None
        return voter is not None and await self.app.models.ballots.has_voted(poll.id, voter)

    def open(self, _: str) -> None:
        """After the handshake; Tornado calls this."""
        self._forget_the_request()
        assert self.ws_connection is not None
        assert self.ws_connection.stream is not None
        self._stream = self.ws_connection.stream
        self._stream.max_write_buffer_size = MOST_UNREAD
        live = self.app.models.live
        if live.ending:
            self.close(RESTART)
            return
        try:
            live.join(self._poll_id, self)
        except Busy:
            self.close(_TRY_AGAIN)

    def _forget_the_request(self) -> None:
        """It is over, and what it brought would be kept for as long as somebody listens: half of what a listener takes."""
        TRACE.set(None)
        self.trace = self.user = self.session = None
        self._headers.clear()
        self.request.headers.clear()
        self.request.connection = self.request.server_connection = None
        self.ui.clear()

    def on_close(self) -> None:
        self.app.models.live.leave(self._poll_id, self)

    def on_message(self, message: str | bytes) -> None:
        self.send_away(_SPOKEN)

    def on_ping(self, data: bytes) -> None:
        self._pings += 1
        if self._pings > MOST_PINGS:
            self.drop()

    def on_pong(self, data: bytes) -> None:
        self.answered = True

    def send(self, message: bytes) -> bool:
        """Tornado's write_message makes a task of each message."""
        if self.ws_connection is None or self._stream is None:
            return True  # sent away
        length = len(message)
        head = struct.pack("!BB", 0x81, length) if length < 126 else struct.pack("!BBH", 0x81, 126, length)
        try:
            self._stream.write(head + message)
        except StreamClosedError:
            return True  # gone; Tornado is about to say so
        except StreamBufferFullError:
            return False
        return True

    def look_after(self) -> None:
        self._pings, self.answered = 0, False
        try:
            self.ping()
        except (WebSocketClosedError, StreamClosedError, StreamBufferFullError):
            self.drop()

    def send_away(self, code: int) -> None:
        with suppress(StreamBufferFullError):
            self.close(code)

    def drop(self) -> None:
        if self._stream is not None:
            self._stream.close()
