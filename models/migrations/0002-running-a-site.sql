-- What the people who run a site need: revisions, autosaves, the site's own words, an audit log, undo, search, mail.
-- depends: 0001-the-blog

-- The words of a post after each save that changed them.
CREATE TABLE revisions (
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    post_id BIGINT NOT NULL,
    author_id BIGINT NOT NULL,
    at DATETIME(6) NOT NULL,
    version BIGINT NOT NULL,
    title VARCHAR(200) NOT NULL,
    summary VARCHAR(400) NOT NULL,
    tags VARCHAR(500) NOT NULL,
    body_md MEDIUMTEXT NOT NULL,
    KEY of_post (post_id, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;

-- What an editor has typed and not saved; post_id 0 is a post that is not there yet. base_version: the post's when typing began.
CREATE TABLE autosaves (
    user_id BIGINT NOT NULL,
    post_id BIGINT NOT NULL,
    at DATETIME(6) NOT NULL,
    base_version BIGINT NOT NULL,
    title VARCHAR(200) NOT NULL,
    summary VARCHAR(400) NOT NULL,
    tags VARCHAR(500) NOT NULL,
    body_md MEDIUMTEXT NOT NULL,
    PRIMARY KEY (user_id, post_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;

-- The settings that an administrator edits on a page; a name that is absent has the value of the settings file.
CREATE TABLE site (
    name VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL PRIMARY KEY,
    value TEXT NOT NULL,
    version BIGINT NOT NULL DEFAULT 1
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;

-- Who did what. was, became: JSON of the fields that changed.
CREATE TABLE audit_log (
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    at DATETIME(6) NOT NULL,
    actor_id BIGINT NULL,
    ip VARBINARY(16) NULL,
    action VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    target VARCHAR(60) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    was TEXT NOT NULL,
    became TEXT NOT NULL,
    KEY by_actor (actor_id, id),
    KEY by_action (action, id),
    KEY by_target (target, id),
    KEY by_time (at, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;

-- What one press of a button changed, so that it can be taken back for ten minutes. entries: JSON, [[row id, version after, status before], ...].
CREATE TABLE batches (
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    actor_id BIGINT NOT NULL,
    at DATETIME(6) NOT NULL,
    kind VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    entries MEDIUMTEXT NOT NULL,
    undone_at DATETIME(6) NULL,
    KEY by_end (at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;

-- Search: each word (stemmed) or CJK bigram of a row; "#tag", "@author" and "=rules" beside them. kind: 1 a post, 2 a comment.
-- weight: title first, then frequency; day: days since 1970; places: where it stands in the row, two bytes each, for phrases.
CREATE TABLE terms (
    kind TINYINT NOT NULL,
    term VARCHAR(48) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    row_id BIGINT NOT NULL,
    shown TINYINT(1) NOT NULL,
    weight SMALLINT NOT NULL,
    day INT NOT NULL,
    places VARBINARY(254) NOT NULL DEFAULT '',
    PRIMARY KEY (kind, term, row_id),
    KEY ranked (kind, term, shown, weight, day, row_id),
    KEY of_row (kind, row_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;

-- Mails to send. Their text is written when they are sent, from `facts` (JSON), so that no secret of a link stands here.
-- about: what may be told to one recipient only once. due_at: NULL when it was sent, or given up.
CREATE TABLE mails (
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    kind VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    recipient VARCHAR(254) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    language VARCHAR(5) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    subject VARCHAR(200) NOT NULL,
    facts TEXT NOT NULL,
    about VARCHAR(60) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL UNIQUE,
    created_at DATETIME(6) NOT NULL,
    due_at DATETIME(6) NULL,
    tries INT NOT NULL DEFAULT 0,
    sent_at DATETIME(6) NULL,
    error VARCHAR(500) NOT NULL DEFAULT '',
    KEY due (due_at, id),
    KEY failed (sent_at, tries, id),
    KEY of_recipient (recipient, kind, created_at),
    KEY by_age (created_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;

-- The worker's duties: when each last ran, and what went wrong. failures: in a row.
CREATE TABLE duties (
    name VARCHAR(60) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL PRIMARY KEY,
    ended_at DATETIME(6) NOT NULL,
    failures INT NOT NULL DEFAULT 0,
    error VARCHAR(500) NOT NULL DEFAULT ''
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;

ALTER TABLE links ADD COLUMN data VARCHAR(500) NOT NULL DEFAULT '';
ALTER TABLE links ADD KEY of_user (user_id, purpose);
-- language: of the mails to a member; that of the page on which they were asked for.
ALTER TABLE users ADD COLUMN notify_replies TINYINT(1) NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN language VARCHAR(5) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT 'en';
ALTER TABLE comments ADD COLUMN reason VARCHAR(200) NOT NULL DEFAULT '';
-- The sitemap's walk: all that it says of a post is in the index.
ALTER TABLE posts ADD KEY sitemap (status, id, updated_at, slug);
ALTER TABLE comments ADD KEY latest (post_id, status, id);
-- The manage list: for each status, and each author's, the one that changed last comes first.
ALTER TABLE posts ADD KEY shelf (status, updated_at, id);
ALTER TABLE posts ADD KEY own_shelf (author_id, status, updated_at, id);
-- A tag's posts in the manage list: the row repeats what that is sorted by.
ALTER TABLE posts_tags
    ADD COLUMN status ENUM('draft', 'scheduled', 'published', 'trashed') NOT NULL DEFAULT 'draft',
    ADD COLUMN updated_at DATETIME(6) NOT NULL DEFAULT '2000-01-01',
    ADD KEY shelf (tag_id, status, updated_at, post_id);
UPDATE posts_tags pt JOIN posts p ON p.id = pt.post_id SET pt.status = p.status, pt.updated_at = p.updated_at;
ALTER TABLE users ADD KEY by_name (name, id);
ALTER TABLE users ADD KEY managed (active, id);
ALTER TABLE comments ADD KEY managed (status, id);
ALTER TABLE comments ADD KEY of_post (post_id, status, id);
ALTER TABLE comments ADD KEY of_author (author_id, status, id);
