"""All tables over one database and one cache: `async with connected(settings) as models`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields
from typing import Any
from zoneinfo import ZoneInfo

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from cache import Cache, Link, Local, Tracking, records
from cache.boards import Rankings
from cache.pages import Pages
from content.storage import Folder, Storage
from models.addresses import Addresses
from models.attention import Attention
from models.auditing import Auditing
from models.auditor import Auditor
from models.ballots import Ballots
from models.boards import Boards
from models.bodies import Bodies
from models.comments import Comments
from models.comparing import Comparing
from models.comparisons import Comparisons
from models.crediting import Crediting
from models.database import Database
from models.duties import Duties
from models.edge_news import EdgeNews
from models.figures import Figures
from models.file_clearing import FileClearing
from models.file_managing import FileManaging
from models.files import Files
from models.image_work import ImageWork
from models.imports import Imports
from models.indexing import Indexing
from models.inspector import Inspector
from models.letters import Letters
from models.links import Links
from models.live import Live
from models.mailroom import Mailroom
from models.mails import Mails
from models.managing import ManagedPosts
from models.managing_polls import PollManaging
from models.moderation import Moderation
from models.news import News
from models.notices import Notices
from models.outbox import Outbox
from models.people import People
from models.poll_times import PollTimes
from models.polls import Polls
from models.posts import Posts
from models.previews import Previews
from models.publishing import Publishing
from models.reapplying import Reapplying
from models.redirects import Redirects
from models.redis_client import TracedRedis
from models.refereeing import Refereeing
from models.results import Results
from models.revisions import Revisions
from models.rights import Rights
from models.roles import Roles
from models.scores import Scores
from models.search import Search
from models.sessions import Sessions
from models.short import Short
from models.site import Sites
from models.sitemaps import Sitemaps
from models.standings import Standings
from models.survey import Surveying
from models.tokens import Tokens
from models.traces import asked
from models.uploads import Uploads
from models.users import Users
from models.writing import Writing
from settings import Settings

WITHOUT_L1 = 8  # MiB for whole pages where nothing else is kept: Redis is asked each time whether they are still right


@dataclass(frozen=True, slots=True)
class Models:
    """A process's tables, and the database and Redis under them."""

    db: Database
    redis: Redis
    cache: Cache
    pages: Pages[Any]
    outbox: Outbox
    roles: Roles
    users: Users
    people: People
    rights: Rights
    sessions: Sessions
    tokens: Tokens
    links: Links
    posts: Posts
    managed_posts: ManagedPosts
    bodies: Bodies
    writing: Writing
    publishing: Publishing
    revisions: Revisions
    imports: Imports
    comments: Comments
    moderation: Moderation
    redirects: Redirects
    search: Search
    indexing: Indexing
    sites: Sites
    auditing: Auditing
    duties: Duties
    attention: Attention
    addresses: Addresses
    notices: Notices
    mails: Mails
    letters: Letters
    mailroom: Mailroom
    sitemaps: Sitemaps
    boards: Boards
    scores: Scores
    standings: Standings
    crediting: Crediting
    reapplying: Reapplying
    refereeing: Refereeing
    polls: Polls
    results: Results
    ballots: Ballots
    poll_managing: PollManaging
    poll_times: PollTimes
    live: Live
    edge_news: EdgeNews
    storage: Storage
    files: Files
    file_managing: FileManaging
    file_clearing: FileClearing
    short: Short
    uploads: Uploads
    previews: Previews
    figures: Figures
    inspector: Inspector
    comparing: Comparing
    auditor: Auditor
    surveying: Surveying


@asynccontextmanager
async def connected(settings: Settings, *, near: bool = False) -> AsyncIterator[Models]:
    """The models of a process; a server that is away is no error here.

    `near`: the process answers by itself what it has just read (L1), which is worth a connection to those that serve pages alone.
    """
    db = Database(
        settings.mysql, size=settings.mysql_pool, seconds=settings.mysql_timeout, slow_query=settings.slow_query,
        compare_every=settings.compare_every,
    )  # fmt: skip
    # No retries and short time-outs: the cache reads MySQL instead of waiting. protocol=3 is said, not left to a default.
    redis: Redis = TracedRedis.from_url(
        settings.redis,
        protocol=3,
        socket_timeout=settings.redis_timeout,
        socket_connect_timeout=settings.redis_timeout,
        retry=Retry(NoBackoff(), 0),
        max_connections=1000,
    )
    new = True

    async def replay() -> None:
        """What writes could not make forgotten while Redis was away, before what it holds is believed again."""
        if not new:  # who has seen no outage knows no more than any other process: rows of the outbox are the worker's
            await outbox.replay()

    link = Link(redis, settings.namespace, replay=replay)
    local = Local((settings.l1_memory or WITHOUT_L1) << 20, on=near and settings.l1_memory > 0)
    tracking = Tracking(redis, settings.namespace, link, local)
    cache = Cache(link, local, tracking, asked=asked)
    outbox = Outbox(db, cache)
    roles = Roles(db, cache)
    users = Users(db, cache, roles)
    posts = Posts(db, cache)
    mails, links, sites = Mails(db, settings), Links(db), Sites(db, cache, settings)
    comments = Comments(db, cache, mails)
    notices = Notices(users, mails)
    moderation, duties = Moderation(comments), Duties(db)
    boards = Boards(db, cache)
    standings = Standings(db, Rankings(link, local), ZoneInfo(settings.time_zone))
    scores = Scores(boards, standings)
    polls, results = Polls(db, cache), Results(db, cache)
    storage = Folder(settings.var / "files")
    files, image_work, previews = Files(db, cache, storage, settings), ImageWork(), Previews(storage)
    pages = Pages[Any](local, link.get, records.stamp)
    inspector = Inspector(db, redis, cache, settings.run)
    comparing, comparisons = Comparing(db, inspector), Comparisons(db)
    figures = Figures(settings, db, cache, pages)
    live = Live(polls, results, News(redis, cache, settings.namespace), figures)
    edge_news = EdgeNews(redis, cache, standings.rankings, settings.namespace)
    await link.start()
    new = False
    if near:
        tracking.start()
    try:
        models = Models(
            db=db,
            redis=redis,
            cache=cache,
            pages=pages,
            outbox=outbox,
            roles=roles,
            users=users,
            people=People(users),
            rights=Rights(roles, users),
            sessions=Sessions(db, cache),
            tokens=Tokens(db, cache),
            links=links,
            posts=posts,
            managed_posts=ManagedPosts(posts),
            bodies=Bodies(db, cache),
            writing=Writing(posts),
            publishing=Publishing(posts),
            revisions=Revisions(db),
            imports=Imports(posts, users),
            comments=comments,
            moderation=moderation,
            redirects=Redirects(db, cache),
            search=Search(posts),
            indexing=Indexing(posts, comments, polls, files),
            sites=sites,
            auditing=Auditing(db),
            duties=duties,
            attention=Attention(db, moderation, duties),
            addresses=Addresses(users, links, mails),
            notices=notices,
            mails=mails,
            mailroom=Mailroom(users, mails),
            letters=Letters(users, posts, comments, links, notices, sites),
            sitemaps=Sitemaps(posts),
            boards=boards,
            crediting=Crediting(boards, standings),
            reapplying=Reapplying(boards, standings),
            scores=scores,
            standings=standings,
            refereeing=Refereeing(boards, scores),
            polls=polls,
            results=results,
            ballots=Ballots(polls, results),
            poll_managing=PollManaging(polls),
            poll_times=PollTimes(polls),
            live=live,
            edge_news=edge_news,
            storage=storage,
            files=files,
            file_managing=FileManaging(files),
            file_clearing=FileClearing(files, storage),
            short=Short(settings),
            uploads=Uploads(files, storage, image_work, settings.image_pixels),
            previews=previews,
            figures=figures,
            inspector=inspector,
            comparing=comparing,
            auditor=Auditor(comparisons, comparing, inspector),
            surveying=Surveying(figures, inspector, comparisons),
        )
        inspector.know(getattr(models, field.name) for field in fields(models))
        yield models
    finally:
        await live.close()
        await image_work.close()
        await previews.close()
        await cache.close()
        await edge_news.close()
        await tracking.close()
        await link.close()
        await redis.aclose()
        await db.close()
