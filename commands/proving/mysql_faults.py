"""What goes wrong in MySQL: connections killed, locks in the other order, locks held for long. Each call blocks its thread."""

import random
import time

import pymysql

from commands.proving.ground import Ground

_LOCK = "SELECT version FROM prove_versions WHERE id = %s FOR UPDATE"


def kill(ground: Ground, most: int) -> str:
    """End some of the processes' connections."""
    with ground.administer() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT id FROM information_schema.processlist WHERE user = %s", (ground.settings.mysql.user,))
        ids = [id for (id,) in cursor.fetchall()]
        chosen = random.sample(ids, min(most, len(ids)))
        for id in chosen:
            try:
                cursor.execute(f"KILL {int(id)}")
            except pymysql.Error:
                pass  # it has ended meanwhile
        return str(len(chosen))


def deadlock(ground: Ground, low: int) -> str:
    """Take the locks of three keys from the high one down, while writers take them upwards."""
    with ground.administer() as connection, connection.cursor() as cursor:
        cursor.execute("SET SESSION innodb_lock_wait_timeout = 2")
        connection.begin()
        try:
            for key in (low + 2, low + 1, low):
                cursor.execute(_LOCK, (key,))
                time.sleep(0.03)
            return "was spared"
        except pymysql.Error as error:
            return f"hit: {error.args[0]}"
        finally:
            connection.rollback()


def lock_wait(ground: Ground, key: int, seconds: float) -> str:
    """Hold a lock longer than anybody waits."""
    with ground.administer() as connection, connection.cursor() as cursor:
        connection.begin()
        cursor.execute(_LOCK, (key,))
        time.sleep(seconds)
        connection.rollback()
    return f"key {key} for {seconds} s"
