"""Live results through Nginx, over two web processes that are restarted meanwhile."""

import asyncio
import os
from collections import Counter

import pytest
from tornado.httpclient import HTTPClientError

from models import Models, connected
from models.poll_rules import NewPoll
from models.polls import Poll
from tests.commands.instances import Instance
from tests.harness.listeners import Listener, listen


async def colours(models: Models, **fields: object) -> Poll:
    editor = await models.users.import_author("Edith")
    await models.users.grant(editor.id, "editor")
    new = NewPoll("Which colour?", ("Red", "Green"), visitors=True, **fields)  # type: ignore[arg-type]
    return await models.polls.create(new, by=editor)


async def heard(listener: Listener, voters: int) -> bool:
    """Whether it is told that so many have voted, before it is closed."""
    while said := await listener.next():
        if said["voters"] == voters:
            return True
    return False


async def test_listeners_at_every_process_hear_and_come_again_after_a_restart(site: Instance) -> None:
    url = f"http://localhost:{site.port}"
    async with connected(site.settings) as models:
        poll = await colours(models)
        listeners = [await listen(url, poll.id) for _ in range(8)]
        try:
            await models.ballots.cast(poll, [poll.choices[0].id], voter=os.urandom(16).hex())
            assert all(await asyncio.gather(*(heard(one, 1) for one in listeners)))

            done = await asyncio.to_thread(site.plaza, "restart")
            assert done.returncode == 0, done.stdout + done.stderr
            assert not any(await asyncio.gather(*(heard(one, 2) for one in listeners)))
            assert Counter(one.code for one in listeners) == {1012: 8}

            listeners = [await listen(url, poll.id) for _ in range(8)]
            await models.ballots.cast(poll, [poll.choices[0].id], voter=os.urandom(16).hex())
            assert all(await asyncio.gather(*(heard(one, 2) for one in listeners)))
        finally:
            for listener in listeners:
                await listener.close()


async def test_nginx_hands_on_the_handshake_and_its_refusals(site: Instance) -> None:
    url = f"http://localhost:{site.port}"
    async with connected(site.settings) as models:
        poll = await colours(models, results="after_vote")
        listener = await listen(url, poll.id)

        assert await listener.next() is None
        assert listener.code == 4403
        for id, origin, status in ((999_999, url, 404), (poll.id, "https://evil.example", 403)):
            with pytest.raises(HTTPClientError) as refused:
                await listen(url, id, Origin=origin)
            assert refused.value.code == status
        assert site.get(f"/polls/{poll.id}/live").status == 426
