"""Members whom a benchmark needs: made by SQL, each with a token, for what they do is measured and not how they came."""

import hashlib

from commands.benchmarks.bulk import connected
from commands.benchmarks.laboratory import Laboratory


def members(laboratory: Laboratory, name: str, count: int, *, role: str = "member") -> list[str]:
    """New ones with that name and role, each with a token that may read and write; the tokens. A name is used once."""
    tokens = [f"plz_{hashlib.sha256(f'{name} {number}'.encode()).hexdigest()[:43]}" for number in range(count)]
    with connected(laboratory.settings.mysql) as cursor:
        cursor.execute("SELECT COALESCE(MAX(id), 0) FROM users")
        first = cursor.fetchone()[0] + 1
        cursor.executemany(
            "INSERT INTO users (id, email, name, created_at) VALUES (%s, %s, %s, UTC_TIMESTAMP(6))",
            [(first + number, f"{name.lower()}-{number}@bench.invalid", f"{name} {number}") for number in range(count)],
        )
        cursor.execute(
            "INSERT INTO roles_users SELECT u.id, r.id FROM users u JOIN roles r ON r.name = %s WHERE u.id >= %s",
            (role, first),
        )
        cursor.executemany(
            "INSERT INTO tokens (token_sha256, user_id, name, scopes, created_at) "
            "VALUES (%s, %s, 'bench', 'read write', UTC_TIMESTAMP(6))",
            [(hashlib.sha256(token.encode()).digest(), first + number) for number, token in enumerate(tokens)],
        )
    return tokens
