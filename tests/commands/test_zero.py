"""No read fails while processes are replaced or killed: the real site under a steady load of all that a crowd asks for."""

from tests.commands.instances import Instance
from tests.commands.mix import prepare
from tests.harness.load import reading

ENOUGH = 300  # requests that a short form makes at least, however slow the machine


async def test_a_restart_fails_no_request_forms_included(fresh: Instance) -> None:
    fresh.up("--web", "2")
    mix = await prepare(fresh)

    with reading(fresh.port, mix.both) as load:
        done = fresh.plaza("restart")

    print(load.report)
    assert done.returncode == 0, done.stderr
    assert not load.report.failed, load.report
    assert set(load.report.answered) == {ask.kind for ask in mix.both}
    assert load.report.requests > ENOUGH
