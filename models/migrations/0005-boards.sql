-- Leaderboards: the boards, every score that was ever taken (append-only), and what follows from them by window: the best scores.
-- depends: 0003-outbox

-- least, most: what a score may be, in thousandths. subjects: who or what is ranked.
CREATE TABLE boards (
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    slug VARCHAR(60) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL UNIQUE,
    title VARCHAR(120) NOT NULL,
    about VARCHAR(400) NOT NULL DEFAULT '',
    sense ENUM('highest', 'lowest') NOT NULL,
    keep ENUM('best', 'last', 'sum') NOT NULL,
    subjects ENUM('users', 'posts') NOT NULL DEFAULT 'users',
    least BIGINT NULL,
    most BIGINT NULL,
    status ENUM('open', 'closed', 'hidden') NOT NULL DEFAULT 'open',
    page VARCHAR(200) NOT NULL DEFAULT '',
    builtin TINYINT(1) NOT NULL DEFAULT 0,
    created_at DATETIME(6) NOT NULL,
    version BIGINT NOT NULL DEFAULT 1
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;

-- score: in thousandths. client_id: the sender's own name for it, which makes sending it twice harmless. about: this row is no score, but
-- says that the score of that id was removed or restored. removed: a moderator has taken it away.
CREATE TABLE scores (
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    board_id BIGINT NOT NULL,
    subject_id BIGINT NOT NULL,
    score BIGINT NOT NULL,
    client_id VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
    about BIGINT NULL,
    removed TINYINT(1) NOT NULL DEFAULT 0,
    created_at DATETIME(6) NOT NULL,
    UNIQUE KEY once (board_id, subject_id, client_id),
    KEY of_subject (board_id, subject_id, id),
    KEY counted (board_id, subject_id, created_at, about, removed, score),
    KEY newest (board_id, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;

-- period: ever, 2026-11, 2026-W48 or 2026-11-29. points: the score, negated where the highest wins, so that the smaller is the better
-- (one index for both senses); NULL: all of the subject's scores were removed. score_id: the latest score that has changed the row.
CREATE TABLE best_scores (
    board_id BIGINT NOT NULL,
    period VARCHAR(10) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    subject_id BIGINT NOT NULL,
    points BIGINT NULL,
    achieved_at DATETIME(6) NOT NULL,
    score_id BIGINT NOT NULL,
    version BIGINT NOT NULL DEFAULT 1,
    PRIMARY KEY (board_id, period, subject_id),
    KEY ranking (board_id, period, points, achieved_at, subject_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;

-- What counts on the built-in boards and has not been counted yet: the worker makes scores of it, and takes it away.
CREATE TABLE contributions (
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    board_id BIGINT NOT NULL,
    subject_id BIGINT NOT NULL,
    score BIGINT NOT NULL,
    at DATETIME(6) NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;

-- The built-in boards, known to the code by these ids (models/contributions.py), and what was written before there were boards.
INSERT INTO boards (id, slug, title, sense, keep, subjects, builtin, created_at) VALUES
    (1, 'members', 'Most active members', 'highest', 'sum', 'users', 1, UTC_TIMESTAMP(6)),
    (2, 'discussed', 'Most discussed posts', 'highest', 'sum', 'posts', 1, UTC_TIMESTAMP(6));
INSERT INTO contributions (board_id, subject_id, score, at)
    SELECT 1, author_id, 10000, published_at FROM posts WHERE status = 'published' AND published_at IS NOT NULL;
INSERT INTO contributions (board_id, subject_id, score, at)
    SELECT 1, author_id, 2000, created_at FROM comments WHERE status = 'shown';
INSERT INTO contributions (board_id, subject_id, score, at)
    SELECT 2, post_id, 1000, created_at FROM comments WHERE status = 'shown';
