"""Which requests are one visitor's, and which of a session came of which."""

from replay.visitors import Visitors


def test_an_address_and_a_program_are_a_session() -> None:
    visitors = Visitors(b"k")

    one = visitors.of("10.0.0.1", "firefox", None)
    assert visitors.of("10.0.0.1", "firefox", None) is one
    assert visitors.of("10.0.0.1", "chrome", None) is not one
    assert visitors.of("10.0.0.2", "firefox", None) is not one


def test_a_member_s_pages_from_the_store_are_of_their_session() -> None:
    """Nginx's log knows no cookie."""
    visitors = Visitors(b"k")
    stored = visitors.of("10.0.0.1", "firefox", None)

    assert visitors.of("10.0.0.1", "firefox", "bob") is stored
    assert visitors.of("10.0.0.1", "firefox", None) is stored


def test_who_signs_in_again_stays_the_same() -> None:
    visitors = Visitors(b"k")
    bob = visitors.of("10.0.0.1", "firefox", "first")
    visitors.give(bob, "second")

    assert visitors.of("10.0.0.1", "firefox", "second") is bob


def test_a_second_member_behind_the_same_address_is_another_session() -> None:
    visitors = Visitors(b"k")
    bob, carol = visitors.of("10.0.0.1", "firefox", "bob"), visitors.of("10.0.0.1", "firefox", "carol")

    assert bob is not carol
    assert visitors.of("10.0.0.1", "firefox", "carol") is carol
    assert visitors.of("10.0.0.1", "firefox", None) is bob


def test_a_member_who_moves_to_another_address_takes_the_session_along() -> None:
    visitors = Visitors(b"k")
    bob = visitors.of("10.0.0.1", "firefox", "bob")

    assert visitors.of("192.168.0.9", "firefox", "bob") is bob
    assert visitors.of("192.168.0.9", "firefox", None) is bob


def test_a_sample_is_of_sessions_and_the_same_under_the_same_key() -> None:
    def kept(visitors: Visitors) -> list[bool]:
        return [visitors.of(f"10.0.{n >> 8}.{n & 255}", "firefox", None).kept for n in range(2000)]

    first = kept(Visitors(b"k", 0.1))

    assert first == kept(Visitors(b"k", 0.1))
    assert first != kept(Visitors(b"other", 0.1))
    assert 120 < sum(first) < 280
    assert all(kept(Visitors(b"k")))


def test_a_request_may_come_of_what_had_been_answered_when_it_came() -> None:
    session = Visitors(b"k").of("10.0.0.1", "firefox", None)

    def came(i: int, t_us: int, ended_us: int) -> tuple[int, int | None]:
        found = session.next(t_us)
        session.add(i, ended_us)
        return found

    assert came(0, 0, 100) == (0, None)
    assert came(3, 50, 60) == (1, None)  # both are under way
    assert came(5, 70, 80) == (2, 3)
    assert came(9, 100, 120) == (3, 0)  # the first was answered last
    assert came(11, 500, 600) == (4, 9)
    assert session.next(700) == session.next(700) == (5, 11)  # nothing counts that is not added
