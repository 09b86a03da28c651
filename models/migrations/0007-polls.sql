-- Polls: the questions, their choices with the votes on each, and who has voted for what.
-- depends: 0001-the-blog

-- status: as readers are shown it; the worker moves it on when opens_at or closes_at comes. voters: how many ballots there are. counted:
-- raised by one with each change of the counts, as version is with each change of the words; so an editor and ten thousand voters do
-- not stand in each other's way.
CREATE TABLE polls (
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    author_id BIGINT NOT NULL,
    question VARCHAR(300) NOT NULL,
    kind ENUM('single', 'multiple') NOT NULL,
    results ENUM('always', 'after_vote', 'after_close') NOT NULL,
    visitors TINYINT(1) NOT NULL DEFAULT 0,
    status ENUM('scheduled', 'open', 'closed', 'trashed') NOT NULL,
    opens_at DATETIME(6) NOT NULL,
    closes_at DATETIME(6) NULL,
    created_at DATETIME(6) NOT NULL,
    version BIGINT NOT NULL DEFAULT 1,
    voters BIGINT NOT NULL DEFAULT 0,
    counted BIGINT NOT NULL DEFAULT 0,
    KEY newest (status, id),
    KEY of_author (author_id, status, id),
    KEY opening (status, opens_at, id),
    KEY closing (status, closes_at, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;

CREATE TABLE choices (
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    poll_id BIGINT NOT NULL,
    position TINYINT UNSIGNED NOT NULL,
    text VARCHAR(200) NOT NULL,
    votes BIGINT NOT NULL DEFAULT 0,
    UNIQUE KEY of_poll (poll_id, position)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;

-- voter: "u" and the id of a member, or "v" and what a visitor's signed cookie says. The key makes it one ballot each.
CREATE TABLE ballots (
    poll_id BIGINT NOT NULL,
    voter VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    at DATETIME(6) NOT NULL,
    PRIMARY KEY (poll_id, voter)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;

CREATE TABLE selections (
    poll_id BIGINT NOT NULL,
    voter VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    choice_id BIGINT NOT NULL,
    PRIMARY KEY (poll_id, voter, choice_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;
