"""What the data set holds: people, phone books, groups; the same for the same sizes and seed.

Uids begin at 1. The first ones are the *callers*, who make the requests: only they have large phone books,
and nobody in a caller's phone book is a caller, so that no measured call changes what another one finds.
"""

from __future__ import annotations

import functools
import io
import random
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import NamedTuple

from PIL import Image, ImageFilter

from messenger_api.domain import images
from messenger_api.domain.phone import Phone
from messenger_api.domain.secrets import Keys

SECRET_KEY = "benchmarks/a-key-of-their-own-and-no-secret"
COUNTRY = "IN"
# Everybody was there long before the run, so that nothing is new to a sync.
LONG_AGO = 1_700_000_000
# An odd number that divides no power of ten: it spreads the accounts over all numbers without a repetition.
_STRIDE = 61_803_399
_NUMBERS = 100_000_000
# The sandbox counts from here.
FIRST_GID = 5001
# So many thumbnails are made, or one for ten photos if that is less, and shared: sizes vary as real ones do.
_THUMBNAILS = 64
_PHOTOS_A_THUMBNAIL = 10


class Row(NamedTuple):
    """An account as it is loaded."""

    uid: int
    address: str
    contact_key: bytes
    name: str
    photo: str


@dataclass(frozen=True)
class Size:
    """How much there is of everything. A caller has `contacts` numbers, `matched` of them with accounts."""

    users: int = 100_000
    rows: int = 2_100_000
    callers: int = 200
    contacts: int = 500
    matched: int = 200
    groups: int = 10
    members: int = 50
    followers: int = 20
    photos: float = 0.3

    @classmethod
    def of(cls, users: int) -> Size:
        """The usual proportions for a number of users: 21 rows of phone books each."""
        return cls(users=users, rows=users * 21)

    @classmethod
    def small(cls) -> Size:
        """For a smoke test: everything once, in seconds."""
        return cls(300, 2_000, callers=8, contacts=25, matched=10, groups=2, members=5, followers=3)


@dataclass(frozen=True)
class Dataset:
    """The data set of these sizes and this seed."""

    size: Size
    seed: int = 1

    @property
    def name(self) -> str:
        """What tells this set from others, as a file name."""
        return "-".join(f"{key}{value}" for key, value in {**asdict(self.size), "seed": self.seed}.items())

    @functools.cached_property
    def keys(self) -> Keys:
        """The keys under which phone books rest."""
        return Keys.derive(SECRET_KEY)

    @property
    def callers(self) -> range:
        """The uids of those who call."""
        return range(1, self.size.callers + 1)

    @property
    def others(self) -> range:
        """The uids of everybody else."""
        return range(self.size.callers + 1, self.size.users + 1)

    def number(self, uid: int) -> str:
        """The number of an account: an Indian mobile number."""
        return f"9198{(uid * _STRIDE + self.seed) % _NUMBERS:08}"

    def key(self, number: str) -> bytes:
        """The blind form of a number."""
        return self.keys.contact_key(Phone(number))

    def token(self, uid: int) -> str:
        """The session token of a caller."""
        return f"bench{self.seed}x{uid:08}" + "t" * 32

    def phone_book(self, uid: int) -> list[str]:
        """A caller's numbers, mixed as they stand in a phone."""
        chance = self._chance("book", uid)
        numbers = [self.number(friend) for friend in self.friends(uid)]
        numbers += [_stranger(chance) for _ in range(self.size.contacts - len(numbers))]
        chance.shuffle(numbers)
        return numbers

    def friends(self, uid: int) -> list[int]:
        """The accounts in a caller's phone book."""
        return self._chance("friends", uid).sample(self.others, self.size.matched)

    def gid(self, uid: int, group: int) -> int:
        """The id that the sandbox gives to a caller's group when they are made in this order."""
        return FIRST_GID + (uid - 1) * self.size.groups + group

    def group_members(self, uid: int, group: int) -> list[int]:
        """Whom a caller has in one of the own groups, the caller first."""
        return [uid, *self._chance("group", uid, group).sample(self.friends(uid), self.size.members - 1)]

    def users(self) -> Iterator[Row]:
        """Every account, in order of uid."""
        chance = self._chance("users")
        for uid in range(1, self.size.users + 1):
            number = self.number(uid)
            has_photo = chance.random() < self.size.photos and uid not in self.callers
            photo = f"{LONG_AGO}-{chance.getrandbits(128):032x}.jpg" if has_photo else ""
            yield Row(uid, number, self.key(number), f"Person {uid}", photo)

    def contacts(self) -> Iterator[tuple[int, bytes]]:
        """Every row of the phone books, in the order of the primary key."""
        followed = self._followed()
        for uid in self.callers:
            yield from self._sorted(uid, self.phone_book(uid))
        chance = self._chance("others")
        left = self.size.rows - self.size.callers * self.size.contacts
        each = max(0, left // len(self.others))
        for uid in self.others:
            friends = (chance.choice(self.others) for _ in range(each // 2))
            numbers = [self.number(friend) for friend in friends if friend != uid]
            numbers += [_stranger(chance) for _ in range(each - each // 2)]
            numbers += [self.number(caller) for caller in followed.get(uid, ())]
            yield from self._sorted(uid, numbers)

    @functools.cached_property
    def thumbnails(self) -> list[str]:
        """Thumbnails as the product makes them, one for every so many photos."""
        chance, photos = self._chance("thumbnails"), self.size.users * self.size.photos
        count = max(1, min(_THUMBNAILS, round(photos / _PHOTOS_A_THUMBNAIL)))
        return [images.profile_photo(photo(chance), max_pixels=10**7).thumbnail for _ in range(count)]

    def _followed(self) -> dict[int, list[int]]:
        """Who has which callers in the phone book."""
        chance = self._chance("followers")
        followed: dict[int, list[int]] = {}
        for caller in self.callers:
            for follower in chance.sample(self.others, self.size.followers):
                followed.setdefault(follower, []).append(caller)
        return followed

    def _sorted(self, uid: int, numbers: list[str]) -> Iterator[tuple[int, bytes]]:
        yield from ((uid, key) for key in sorted({self.key(number) for number in numbers}))

    def _chance(self, *what: object) -> random.Random:
        return random.Random(f"{self.seed}:{what}")


def new_number(index: int) -> str:
    """A number that is in no phone book and has no account."""
    return f"9196{index:08}"


def photo(chance: random.Random, pixels: int = 640) -> bytes:
    """A JPEG with about as much detail as a photo of a person has."""
    coarse = Image.frombytes("RGB", (24, 24), chance.randbytes(24 * 24 * 3)).resize((pixels, pixels))
    grain = Image.frombytes("L", (pixels, pixels), chance.randbytes(pixels * pixels)).convert("RGB")
    picture = Image.blend(coarse, grain, 0.15).filter(ImageFilter.GaussianBlur(0.6))
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=85)
    return file.getvalue()


def _stranger(chance: random.Random) -> str:
    """A number without an account."""
    return f"9197{chance.randrange(_NUMBERS):08}"
