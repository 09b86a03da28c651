"""What must hold at every moment: the promises G1, G2, G4, G5 and G6 of the protocol.

They are asked of the world itself, not only of the answers that readers got: what stands is what a read that begins now is told.
"""

from commands.proving.model_flaws import Flaw
from commands.proving.model_scripts import blocks
from commands.proving.model_world import Broken, Home, Mark, World


def check(world: World) -> None:
    """Raises Broken."""
    for key, value in world.values():
        age = world.age(key, value.content)
        if age < 0:
            raise Broken("G5", f"{key} holds {value.content}, which was not committed")
        if age < world.returned:
            raise Broken(
                "G1", f"a read of {key} would get {value.content}, after the write of {world.now(key)} has returned"
            )
    for key, record in world.redis.items():
        if isinstance(record, Mark) and record.writers <= world.overdue and blocks(world, record):
            raise Broken("G4", f"{key} is not cached, for the sake of a writer whose deadline has passed")
    for home in world.homes.values():
        _check_home(world, home)
    if not world.open and not world.outbox and all(point.step is None for point in world.points):
        _check_quiet(world)


def _check_home(world: World, home: Home) -> None:
    fenced = any(home.pushes) and world.flaw is not Flaw.NO_FENCE
    if home.entry is not None and not fenced:
        age = world.age("post", home.entry.content)
        if age < home.own:
            raise Broken("G2", f"L1 would answer {home.entry.content} in the process that has just written anew")
        if age < world.settled:
            raise Broken("G2", f"L1 would answer {home.entry.content} beyond its bound")


def _check_quiet(world: World) -> None:
    """All have ended: what stands now stands until its time to live ends."""
    if world.loads > 1:
        raise Broken("G6", f"{world.loads} loads of one key, and nobody writes")
    killed = set(world.committed) - world.ended
    if killed & world.lost and not world.strict:
        return  # the one exception of G4: a mark is lost *and* its writer is killed
    for key, value in world.values():
        if value.content != world.now(key):
            raise Broken("G4", f"all is quiet, and {key} holds {value.content}; the database has {world.now(key)}")
    for home in world.homes.values():
        delivered = not home.pushes and world.settled >= world.returned
        if home.entry is not None and delivered and home.entry.content != world.now("post"):
            raise Broken("G4", f"all is quiet, and L1 holds {home.entry.content}; the database has {world.now('post')}")
