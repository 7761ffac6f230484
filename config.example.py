# The configuration. Copy this file to config.py, change what you need, and run: messenger-api check
#
# Every line below holds the default: as it is, this file changes nothing. What you leave out of config.py
# keeps its default, so yours may hold ten lines. It is Python: texts stand in quotes, True and False do not,
# and a name that begins with an underscore is yours. MESSENGER_CONFIG names another file than config.py.
#
# An environment variable MESSENGER_<KEY> replaces the key of that name, for example
# MESSENGER_LOG_LEVEL=debug. Lists and pairs are written as JSON there: MESSENGER_SMS_COUNTRIES='["IN"]'.
# A key that does not exist, or has a value that is not accepted, stops the start with a line about it.
#
# To go live, set these (each is explained in its place):
#   DB_HOST, DB_NAME, DB_USER, DB_PASS   a MySQL or MariaDB; then run messenger-api db upgrade
#   SECRET_KEY                           openssl rand -hex 32
#   MESIBO_APP_TOKEN                     from the mesibo console
#   SMS_PROVIDERS and the TWILIO_ keys   who sends the codes
#   DEFAULT_COUNTRY, SMS_COUNTRIES       where your users are
#   PUBLIC_URL, TRUSTED_PROXY_HOPS       the address that the apps call, and the proxies in front
#
# scripts/make-config-example writes this file from the declarations in messenger_api/settings.

# ------------------------------------------------------------------------------------------- Database
# Where accounts, sessions, groups and the outbox live. With none of these keys set it is a SQLite file under
# INSTANCE_PATH, made and upgraded by itself: enough to begin with, on one machine.

# The database's address in SQLAlchemy's form, which replaces all the DB_ keys below but DB_POOL_SIZE. A
# relative SQLite path begins at the working folder. mysql+mysqldb:// takes the driver of mysql-fast.
# Example: SQLALCHEMY_DATABASE_URI = "mysql+pymysql://messenger:password@db.example.com/messenger?charset=utf8mb4"
SQLALCHEMY_DATABASE_URI = ""

# The host of MySQL or MariaDB; empty means SQLite. Several, separated by commas, are tried in turn, each with
# a port of its own if that is not DB_PORT.
# Example: DB_HOST = "127.0.0.1"
# Example: DB_HOST = "db1.example.com, db2.example.com:3307"
DB_HOST = ""

# The port of the database.
# Example: DB_PORT = 3307
DB_PORT = 3306

# The name of the database. It must exist; its tables are made by: messenger-api db upgrade
# Example: DB_NAME = "chat"
DB_NAME = "messenger"

# The database's user, who may read and write, and for upgrades change tables.
# Example: DB_USER = "chat"
DB_USER = "messenger"

# The password of that user.
# Example: DB_PASS = "a long password"
DB_PASS = ""

# Connections that each server process keeps open. It opens more, 36 in all, while as many requests are worked
# on at once. All processes together must stay under the database's max_connections.
# Example: DB_POOL_SIZE = 20
DB_POOL_SIZE = 10

# --------------------------------------------------------------------------------------------- mesibo
# Its backend API, or the sandbox in its place.

# mesibo's backend API: the hosted one, or your own server with mesibo on premises.
# Example: MESIBO_API_URL = "https://chat.example.com/mesiboapi"
# Example: MESIBO_API_URL = "https://chat.example.com/api.php"
MESIBO_API_URL = "https://api.mesibo.com/backend"

# The app token that the mesibo console shows for your app. Without it a sandbox takes mesibo's place, which
# is for trying and developing only.
# Example: MESIBO_APP_TOKEN = "c7hl...y3s2"
MESIBO_APP_TOKEN = ""

# How requests are written: "json", "form" (the older style, with flat names), or "auto", which takes "form"
# for a URL that ends in api.php and "json" for all others.
# Example: MESIBO_API_STYLE = "form"
MESIBO_API_STYLE = "auto"

# Seconds to wait for a connection to mesibo, 0.1 to 30.
# Example: MESIBO_CONNECT_TIMEOUT = 5
MESIBO_CONNECT_TIMEOUT = 3.0

# Seconds that a whole call to mesibo may take, 0.1 to 60. A stopping server waits for it, too.
# Example: MESIBO_TIMEOUT = 15
MESIBO_TIMEOUT = 10.0

# Calls to mesibo that each server process makes at once at most. A process serves 32 requests at a time; the
# difference keeps contacts and profiles quick while mesibo is slow.
# Example: MESIBO_MAX_CALLS = 8
MESIBO_MAX_CALLS = 16

# The longest request body in bytes that mesibo takes; longer lists are split. On premises it is the
# client_max_body_size of its nginx, 8192 on a stock installation.
# Example: MESIBO_MAX_BODY = 65_536
MESIBO_MAX_BODY = 8192

# Seconds that a group lives at mesibo; 0: not said, and mesibo ends a group after a year. mesibo is told once
# of groups that were made before, a few a minute.
# Example: GROUP_EXPIRY = 63_072_000
GROUP_EXPIRY = 315_360_000

# Seconds by which activity in a group extends its life there; 0: not said.
# Example: GROUP_EXPIRY_EXTENSION = 0
GROUP_EXPIRY_EXTENSION = 31_536_000

# Whether the sandbox plays mesibo and the SMS network, and shows everyone's codes at /sandbox. "local": yes,
# and it answers programs on this machine alone, as with messenger-api serve --sandbox: whoever comes through
# a proxy, under a public name or from another machine is refused. True: yes, for everybody who can reach this
# server. False: never. None: only where serve --sandbox asks for it and there is no MESIBO_APP_TOKEN.
# Example: SANDBOX = "local"
SANDBOX = None

# ------------------------------------------------------------------------------------------- The apps
# What the apps are told after a login.

# The address under which the apps reach this server, without a path. Empty: the address that they called,
# which is right unless a proxy hides it.
# Example: PUBLIC_URL = "https://chat.example.com"
PUBLIC_URL = ""

# Where the apps send files. Empty: /api.php of this server.
# Example: UPLOAD_URL = "https://files.example.com/api.php"
UPLOAD_URL = ""

# Where the apps fetch files; a file's name is appended, so end it with a slash. Empty: /files/ of this
# server.
# Example: DOWNLOAD_URL = "https://cdn.example.com/files/"
DOWNLOAD_URL = ""

# The key for Google Maps that the apps are given for sharing locations. Empty: none.
# Example: GOOGLE_MAP_KEY = "AIza..."
GOOGLE_MAP_KEY = ""

# The text with which people invite others.
# Example: INVITE_TEXT = "Join me on Example Chat: https://chat.example.com/get"
INVITE_TEXT = (
    "Hey, I use Mesibo for free messaging, voice and video calls. Download it from https://m.mesibo.com"
)

# The subject of an invitation by mail.
# Example: INVITE_SUBJECT = "Example Chat"
INVITE_SUBJECT = "Mesibo Messenger: Open Source Messenger"

# The heading over the list of apps to invite with.
# Example: INVITE_TITLE = "Invite with"
INVITE_TITLE = "Invite a friend via"

# The notification for those who have a new user's number in their phone book. The app puts the name from that
# phone book in the place of %NAME%.
# Example: JOIN_SUBJECT = "%NAME% is here"
JOIN_SUBJECT = "%NAME% is on Mesibo now"

# The text of that notification.
# Example: JOIN_MESSAGE = "%NAME% now uses Example Chat too."
JOIN_MESSAGE = "Hey, your contact %NAME% has just joined Mesibo, you may want to say hi!"

# ---------------------------------------------------------------------------------------------- Files
# Paths are relative to the folder in which the server is started, or absolute.

# The folder of this installation: the SQLite file, the secret key that was made by itself, the sandbox's
# memory.
# Example: INSTANCE_PATH = "/var/lib/messenger-api"
INSTANCE_PATH = "instance"

# Where profile photos and attachments rest: a folder, or a bucket and a prefix in it. With several machines
# it must be a bucket, or a folder that they share. docs/files.md tells how to set up a bucket.
# Example: FILES_PATH = "/srv/messenger/files"
# Example: FILES_PATH = "s3://example-chat/files"
FILES_PATH = "uploads"

# Where the thumbnails of profile photos rest: another folder, or a bucket and another prefix.
# Example: FILES_TN_PATH = "/srv/messenger/files/tn"
# Example: FILES_TN_PATH = "s3://example-chat/files/tn"
FILES_TN_PATH = "uploads/tn"

# The address of the bucket's server when it is not Amazon's: MinIO, Cloudflare R2, Garage and others.
# Example: S3_ENDPOINT_URL = "https://minio.example.com:9000"
S3_ENDPOINT_URL = ""

# The name of the key with which the bucket is used. Both of the pair empty: boto3 looks for its own, in AWS_
# variables, ~/.aws and the role of the machine.
# Example: S3_ACCESS_KEY = "AKIA..."
S3_ACCESS_KEY = ""

# The secret of that key.
# Example: S3_SECRET_KEY = "wJal...EKEY"
S3_SECRET_KEY = ""

# The region of the bucket. Empty: what boto3 finds, or us-east-1. Garage calls its own "garage".
# Example: S3_REGION = "eu-central-1"
S3_REGION = ""

# The largest attachment, in bytes: 25 MB. A proxy in front must let a little more through.
# Example: MAX_UPLOAD_BYTES = 100 * 1024 * 1024
MAX_UPLOAD_BYTES = 25 * 1024 * 1024

# The largest profile photo as it is sent, in bytes: 20 MB. Cameras of 48 megapixels come near it.
# Example: MAX_PHOTO_BYTES = 5 * 1024 * 1024
MAX_PHOTO_BYTES = 20 * 1024 * 1024

# The largest profile photo, in pixels (width times height). Only a JPEG may be that large, since it is made
# smaller while it is read; docs/files.md says how large the others may be.
# Example: MAX_PHOTO_PIXELS = 50_000_000
MAX_PHOTO_PIXELS = 120_000_000

# ---------------------------------------------------------------------------------------------- Login
# How people prove who they are, and the one-time codes.

# The key of this installation, made with: openssl rand -hex 32. It protects codes and hides phone books.
# Required with MySQL; with SQLite one is made at the first start and kept in INSTANCE_PATH. Keep a backup
# apart from the database's: with another key no phone book matches any more.
# Example: SECRET_KEY = "output of: openssl rand -hex 32"
SECRET_KEY = ""

# How people prove who they are. "otp": by a one-time code in a text message. "mesibo_otp": by one that mesibo
# makes and judges. "email": by one in an e-mail. "ldap", "radius", "oidc": a server that you have already
# knows them. "password": by passwords that are kept here. Or a class of your own by its dotted path.
# docs/login-methods.md has a page about each.
# Example: LOGIN_METHOD = "ldap"
LOGIN_METHOD = "otp"

# Seconds that a login may take at the server that LOGIN_METHOD asks, 0.5 to 20.
# Example: LOGIN_TIMEOUT = 3
LOGIN_TIMEOUT = 5.0

# The country, as two ISO letters, in which numbers without a country code are read at the login. Empty: they
# are refused.
# Example: DEFAULT_COUNTRY = "IN"
DEFAULT_COUNTRY = ""

# Digits of a one-time code, 6 to 10. Check that your apps take more than 6.
# Example: OTP_LENGTH = 8
OTP_LENGTH = 6

# Seconds for which a code is good, 60 to 600.
# Example: OTP_TTL = 600
OTP_TTL = 300

# Wrong codes after which a code is dead, 1 to 10.
# Example: OTP_MAX_ATTEMPTS = 3
OTP_MAX_ATTEMPTS = 5

# Seconds to wait before each of the tries, 0 to 600: none before the first three, then 10 and 30. They do not
# hold a phone that has made no more than one slip at this number in the last 24 hours, so that nobody can be
# kept out by somebody else's guessing.
# Example: OTP_PAUSES = [0, 5, 10, 20, 60]
OTP_PAUSES = [0, 0, 0, 10, 30]

# Seconds before another code may be asked for, 0 to 3600: after the first code, the second and so on; the
# last one holds for all that follow. A login, or an hour without a code, starts anew.
# Example: OTP_RESEND_AFTER = 60
OTP_RESEND_AFTER = [30, 60, 120, 300, 600]

# Wrong codes in 24 hours, 5 to 1000, after which a number is slowed down: it then gets a code every
# OTP_SLOW_RESEND_AFTER seconds. It is never locked, for then a stranger could lock out anyone.
# Example: OTP_WRONG_PER_DAY = 50
OTP_WRONG_PER_DAY = 25

# Seconds between two codes of a number that was slowed down, 60 to 86400.
# Example: OTP_SLOW_RESEND_AFTER = 1800
OTP_SLOW_RESEND_AFTER = 3600

# Seconds for which the same right code from the same phone gets the same answer again, 0 to 300, since the
# answer may get lost on its way.
# Example: OTP_REPLAY_SECONDS = 0
OTP_REPLAY_SECONDS = 60

# Numbers that log in with a fixed code and are sent no text, for the reviewers of the app stores.
# Example: OTP_TEST_NUMBERS = {"+1 415 555 0123": "739164"}
OTP_TEST_NUMBERS = {}

# The last day, in UTC, on which those codes work. Required with OTP_TEST_NUMBERS.
# Example: OTP_TEST_NUMBERS_UNTIL = "2027-01-31"
OTP_TEST_NUMBERS_UNTIL = None

# Sessions that a user has in one app at most, each on a device of its own; beyond it, a login ends the
# oldest.
# Example: MAX_SESSIONS = 1
MAX_SESSIONS = 6

# -------------------------------------------------------------------------------------- Text messages
# Who sends the codes, where to, and in which words.

# Who sends the codes, tried in this order: providers whose keys stand below, such as "twilio", a class of
# your own by its dotted path, or "console", which only prints them and is for development. docs/sms.md shows
# how to set up each.
# Example: SMS_PROVIDERS = ["twilio", "mycompany.sms.MyProvider"]
SMS_PROVIDERS = ["console"]

# The countries that may be texted, as two ISO letters each. Empty: DEFAULT_COUNTRY alone. "*" is all of them,
# which invites swindlers who earn on texts to dear numbers.
# Example: SMS_COUNTRIES = ["IN", "DE"]
SMS_COUNTRIES = []

# The text message; {code} and {app} are filled in. Empty: a sentence in the language of the phone. It must
# fit into one message of 140 octets, with the line that SMS_ANDROID_HASH or SMS_IOS_DOMAIN adds: that is 160
# characters of plain Latin text, or 70 as soon as one character is of another alphabet.
# Example: SMS_TEXT = "{code} is your code for {app}."
SMS_TEXT = ""

# The name of your app in text messages. Where a sentence has no room for it, a shorter one is sent.
# Example: SMS_APP_NAME = "Example Chat"
SMS_APP_NAME = "Messenger"

# The 11 characters by which Android's SMS Retriever knows your app, so that it reads the code by itself. They
# follow from the package name and the signing certificate. Empty: the code is typed.
# Example: SMS_ANDROID_HASH = "FA+9qCX9VSu"
SMS_ANDROID_HASH = ""

# The domain to which codes are bound on iOS: one of your app's associated domains, of at most 60 characters.
# The code is then offered in your app and nowhere else. Empty: iOS guesses the code from the text.
# Example: SMS_IOS_DOMAIN = "chat.example.com"
SMS_IOS_DOMAIN = ""

# Seconds that one provider may take for a message, 0.5 to 8; then the next is tried.
# Example: SMS_TIMEOUT = 2.5
SMS_TIMEOUT = 4.0

# Whether providers are asked to report what became of a message, at /sms/receipts/ of PUBLIC_URL, which must
# be https.
# Example: SMS_RECEIPTS = False
SMS_RECEIPTS = True

# ------------------------------------------------------------------------------------------- Accounts
# How long sessions and accounts last that nobody uses.

# Days after which a session that no app has used is ended, 1 to 3650.
# Example: SESSION_IDLE_DAYS = 30
SESSION_IDLE_DAYS = 180

# Days without any use after which a login makes a new account, 0 or 30 to 3650: by then the number may be
# somebody else's, who must not meet the former owner's name, groups and sessions. In the USA, carriers give a
# number to the next person after 45 days at the earliest (47 CFR 52.15). 0: never.
# Example: ACCOUNT_RECYCLED_AFTER_DAYS = 90
ACCOUNT_RECYCLED_AFTER_DAYS = 45

# Numbers that a user may block, 100 to 50000.
# Example: MAX_BLOCKED = 1000
MAX_BLOCKED = 10_000

# --------------------------------------------------------------------------------------------- Limits
# How often and how much, and what happens then.

# What happens at a counting limit, such as OTP_RESEND_AFTER: "enforce" it, only count and log it ("track"),
# or nothing ("off"). How long a code is good and how often it may be guessed always holds.
# Example: LIMITS = "track"
LIMITS = "enforce"

# The same for one limit alone: "enforce", "track" or "off". The names are those that the log shows with
# limit.reached; docs/security.md lists them.
# Example: LIMIT_MODES = {"sms_per_ip": "track"}
LIMIT_MODES = {}

# Texts and calls to one number in an hour.
# Example: SMS_PER_NUMBER_HOUR = 3
SMS_PER_NUMBER_HOUR = 5

# Texts and calls to one number in a day.
# Example: SMS_PER_NUMBER_DAY = 6
SMS_PER_NUMBER_DAY = 10

# Tries to log in (codes, passwords) from one address of the internet in an hour.
# Example: LOGIN_TRIES_PER_IP_HOUR = 1000
LOGIN_TRIES_PER_IP_HOUR = 300

# Numbers that a user may add to the phone book in NEW_NUMBERS_DAYS; those that stand in it already are free,
# and so are those that were taken out of it in as many days. Without this limit, one account could find out
# which of all numbers have accounts.
# Example: NEW_NUMBERS = 50_000
NEW_NUMBERS = 20_000

# The days in which NEW_NUMBERS may be added.
# Example: NEW_NUMBERS_DAYS = 30
NEW_NUMBERS_DAYS = 10

# Phone numbers in one request at most, 100 to 10000. The apps send up to 200.
# Example: MAX_PHONES_PER_CALL = 1000
MAX_PHONES_PER_CALL = 2000

# Members of a group at most, 2 to 5000, its owner included. A message about a full group must fit into
# MESIBO_MAX_BODY: 506 members do into 8192 bytes.
# Example: MAX_GROUP_MEMBERS = 500
MAX_GROUP_MEMBERS = 256

# -------------------------------------------------------------------- Limits of texts that cost money
# They hold for providers that cost money; the console costs none.

# Texts that one address of the internet may cause in an hour; of IPv6, one network of 64 bits; and one of 48
# bits three times as many. Each code that is entered makes room for another, up to three times as many.
# Example: SMS_PER_IP_HOUR = 30
SMS_PER_IP_HOUR = 10

# Texts in an hour to numbers that differ in their last four digits alone: swindlers own whole ranges.
# Example: SMS_PER_PREFIX_HOUR = 50
SMS_PER_PREFIX_HOUR = 30

# Texts to one country: so many at once, and then SMS_PER_COUNTRY_MINUTE.
# Example: SMS_PER_COUNTRY_BURST = 200
SMS_PER_COUNTRY_BURST = 50

# Texts to one country in a minute, once SMS_PER_COUNTRY_BURST are used up.
# Example: SMS_PER_COUNTRY_MINUTE = 10
SMS_PER_COUNTRY_MINUTE = 1.0

# Texts in an hour in all. Raise it when your app is known to more people.
# Example: SMS_PER_HOUR = 1000
SMS_PER_HOUR = 100

# What a text costs to every country that SMS_PRICES does not name. Twilio and others publish their prices.
# Example: SMS_PRICE = 0.12
SMS_PRICE = 0.05

# What a text costs, by country.
# Example: SMS_PRICES = {"IN": 0.083, "US": 0.0079}
SMS_PRICES = {}

# What a call costs to every country that SMS_PRICES_VOICE does not name. It lasts under a minute, and a begun
# minute is charged.
# Example: SMS_PRICE_VOICE = 0.2
SMS_PRICE_VOICE = 0.1

# What a call costs, by country.
# Example: SMS_PRICES_VOICE = {"IN": 0.03, "US": 0.014}
SMS_PRICES_VOICE = {}

# The most that a day may cost, in UTC; the log says when 50, 80 and 100 % are spent. 0: nothing may be spent.
# Example: SMS_BUDGET_DAY = 100
SMS_BUDGET_DAY = 25.0

# The most that a month may cost, in UTC; the log says when 50, 80 and 100 % are spent. 0: nothing may be
# spent.
# Example: SMS_BUDGET_MONTH = 2000
SMS_BUDGET_MONTH = 250.0

# The currency of these prices, for the log.
# Example: SMS_CURRENCY = "EUR"
SMS_CURRENCY = "USD"

# Where under SMS_PAUSE_BELOW percent of the codes are entered, those of the last SMS_PAUSE_GRACE seconds left
# out: a network gets one text in six hours until a code is entered, from 10 codes in a week on.
# Example: SMS_PAUSE_BELOW = 20
SMS_PAUSE_BELOW = 30

# A country is paused where too few codes to it are entered, from so many networks in an hour on that asked
# for them. This and SMS_RANGE_PAUSE_SENT hold for networks where nobody lately logged in. It ends when what
# counts against it is an hour old.
# Example: SMS_PAUSE_SENT = 50
SMS_PAUSE_SENT = 20

# A range of 10,000 numbers gets one text in six hours until a code is entered, from so many networks a day
# on.
# Example: SMS_RANGE_PAUSE_SENT = 10
SMS_RANGE_PAUSE_SENT = 20

# The codes of the last so many seconds are left out of SMS_PAUSE_BELOW: they may still be entered.
# Example: SMS_PAUSE_GRACE = 180
SMS_PAUSE_GRACE = 120

# Whether numbers of internet telephony get texts. Premium-rate, shared-cost and pager numbers never do.
# Example: SMS_TO_VOIP = True
SMS_TO_VOIP = False

# Whether numbers of satellites and of networks that span countries (+870, +881, +882, +883) get texts and
# calls, whatever SMS_COUNTRIES says. They cost many times what others do; SMS_PRICE and SMS_PRICE_VOICE are
# their prices too.
# Example: SMS_TO_SATELLITE = True
SMS_TO_SATELLITE = False

# Seconds after which a text that its provider took but did not deliver is sent again by the next provider, 0
# to 300; 0: never. It needs delivery receipts (SMS_RECEIPTS) and a second provider.
# Example: SMS_DELIVERY_WAIT = 15
SMS_DELIVERY_WAIT = 7

# ------------------------------------------------------------------------------------------ Operation
# How the server runs, and what it tells.

# A Redis that counts the limits of requests (LOGIN_TRIES_PER_IP_HOUR) for all processes together; it needs
# pip install '.[redis]'. Empty: each process counts for itself. What costs money is always counted in the
# database.
# Example: REDIS_URL = "redis://127.0.0.1:6379/0"
REDIS_URL = ""

# Who may read /metrics: whoever sends this text as "Authorization: Bearer <text>". Empty: only this machine,
# and not through a proxy on it.
# Example: METRICS_TOKEN = "output of: openssl rand -hex 16"
METRICS_TOKEN = ""

# Whether calls of the API pass Flask by, which saves what Flask costs a call. False leads them through its
# routes, for hooks and extensions that are to see them: docs/flask.md.
# Example: API_SHORTCUT = False
API_SHORTCUT = True

# Classes of your own that add ops and tasks of the outbox, by their dotted paths: docs/do/own-op.md.
# Example: EXTENSIONS = ["support.Support"]
EXTENSIONS = []

# Proxies in front whose X-Forwarded-For, -Proto and -Host are believed: 1 behind one nginx or Caddy (the
# files in deploy/), 2 behind a CDN and nginx. 0: none is, and whoever writes such headers is not believed.
# Example: TRUSTED_PROXY_HOPS = 1
TRUSTED_PROXY_HOPS = 0

# The header in which they hand over the client's address; each appends the address that called it. Behind a
# proxy that cannot take out a client's X_Forwarded_For (with underscores, which is the same header here), a
# name that nobody can guess: docs/security.md, "Who is asking".
# Example: TRUSTED_PROXY_HEADER = "X-Client-52d7f0c91b3e"
TRUSTED_PROXY_HEADER = "X-Forwarded-For"

# The address and port of the console (docs/operations/console.md), such as that of a network of your own: it
# is then not on the API's port. Empty: at /admin there. messenger-api serve listens on it; for another server
# there is messenger_api.wsgi_console:application.
# Example: ADMIN_LISTEN = "127.0.0.1:8081"
# Example: ADMIN_LISTEN = "[::1]:8081"
ADMIN_LISTEN = ""

# Whether each server process also delivers the outbox: update messages, mirrored groups. False leaves it to
# processes of their own: messenger-api worker
# Example: OUTBOX_IN_SERVER = False
OUTBOX_IN_SERVER = True

# Seconds after which what a dead process had begun is taken over by another, 2 to 3600. More than
# MESIBO_TIMEOUT, or a slow call is made twice.
# Example: OUTBOX_LEASE = 120
OUTBOX_LEASE = 60

# Failures after which an item is given up and kept for messenger-api outbox status. Outages of mesibo do not
# count. The time between two tries grows to five minutes.
# Example: OUTBOX_MAX_ATTEMPTS = 100
OUTBOX_MAX_ATTEMPTS = 48

# A collector of OpenTelemetry that gets a trace of each call, by OTLP over HTTP; it needs pip install
# '.[otel]'. A span holds op, outcome and time. Empty: none.
# Example: OTEL_ENDPOINT = "http://127.0.0.1:4318"
OTEL_ENDPOINT = ""

# Where errors of the log are reported, in the way of Sentry's clients; it needs pip install '.[sentry]'.
# Numbers, codes and tokens are taken out. Empty: nowhere.
# Example: SENTRY_DSN = "https://key@sentry.example.com/1"
SENTRY_DSN = ""

# What is logged: "debug", "info", "warning" or "error" and what is worse. Never codes, tokens or full phone
# numbers.
# Example: LOG_LEVEL = "warning"
LOG_LEVEL = "info"

# Whether the log has a line for each request: method, path, status, milliseconds, the network that it came
# from (24 bits of IPv4, 48 of IPv6) and its id. LOG_LEVEL must admit info.
# Example: ACCESS_LOG = True
ACCESS_LOG = False

# The log's form: "text" for people, "json" for programs.
# Example: LOG_FORMAT = "json"
LOG_FORMAT = "text"

# --------------------------------------------------------------------------------------------- Twilio
# For the provider "twilio"; "twilio_verify" takes account, token and address from here too.

# Twilio's account: the "Account SID" of its console.
# Example: TWILIO_ACCOUNT_SID = "AC0123456789abcdef0123456789abcdef"
TWILIO_ACCOUNT_SID = ""

# The "Auth Token" of that account.
# Example: TWILIO_AUTH_TOKEN = "0123456789abcdef0123456789abcdef"
TWILIO_AUTH_TOKEN = ""

# Twilio's address; another one for a region of Twilio's, or for the sandbox.
# Example: TWILIO_API_URL = "https://api.dublin.ie1.twilio.com"
TWILIO_API_URL = "https://api.twilio.com"

# The sender: a number of the account with + and country code, a messaging service (MG...) or a name.
# Example: TWILIO_FROM = "+14155550100"
TWILIO_FROM = ""

# The number that calls people and says the code: one of the account, with + and country code. Empty:
# TWILIO_FROM when that is a number, else there are no calls.
# Example: TWILIO_VOICE_FROM = "+14155550100"
TWILIO_VOICE_FROM = ""

# -------------------------------------------------------------------------------------- Twilio Verify
# For the provider "twilio_verify".

# The service of Twilio Verify, which makes and checks the codes itself.
# Example: TWILIO_VERIFY_SID = "VA0123456789abcdef0123456789abcdef"
TWILIO_VERIFY_SID = ""

# --------------------------------------------------------------------------------------------- Vonage
# For the provider "vonage".

# The account: the "API key" of Vonage's dashboard.
# Example: VONAGE_API_KEY = "abcd1234"
VONAGE_API_KEY = ""

# The "API secret" of that account.
# Example: VONAGE_API_SECRET = "0123456789abcdef"
VONAGE_API_SECRET = ""

# The sender: a number of the account, or a name of up to eleven letters and digits.
# Example: VONAGE_FROM = "ExampleChat"
VONAGE_FROM = ""

# The account's "signature secret", with the method SHA-256 HMAC. Empty: no delivery receipts.
# Example: VONAGE_SIGNATURE_SECRET = "0123456789abcdefghijklmnopqrstuvwxyz"
VONAGE_SIGNATURE_SECRET = ""

# Vonage's address; another one for the sandbox.
# Example: VONAGE_API_URL = "http://127.0.0.1:8081/vonage"
VONAGE_API_URL = "https://rest.nexmo.com"

# ------------------------------------------------------------------------------ Any other SMS gateway
# For the provider "http".

# Where the request goes. {to} (digits), {to_plus} (with +), {text}, {code} and {from} are filled in. User and
# password before the host are sent as Basic authorization, and no part of the address.
# Example: SMS_HTTP_URL = "https://sms.example.com/send?to={to}&text={text}&from={from}"
SMS_HTTP_URL = ""

# The method: "GET", "POST" or "PUT".
# Example: SMS_HTTP_METHOD = "GET"
SMS_HTTP_METHOD = "POST"

# Headers of that request. The values are never shown.
# Example: SMS_HTTP_HEADERS = {"Authorization": "Bearer 0123456789abcdef"}
SMS_HTTP_HEADERS = {}

# The body, filled in as the address is and escaped as its Content-Type wants. Without such a header it is
# JSON when it begins with a brace, else a form.
# Example: SMS_HTTP_BODY = '{"to": "{to_plus}", "from": "{from}", "message": "{text}"}'
SMS_HTTP_BODY = ""

# The sender, for {from}.
# Example: SMS_HTTP_FROM = "ExampleChat"
SMS_HTTP_FROM = ""

# The HTTP statuses that mean that the gateway took the message.
# Example: SMS_HTTP_ACCEPTED = [202]
SMS_HTTP_ACCEPTED = [200, 201, 202]

# Those that mean that the number is wrong: the person is asked for another. All others are faults of the
# gateway, and the next provider is tried.
# Example: SMS_HTTP_REFUSED = [422]
SMS_HTTP_REFUSED = []

# The member of the JSON answer that holds the message's id, with dots for members of members. An answer
# without it counts as a fault, after which the message may have been sent. Empty: the answer is not read.
# Example: SMS_HTTP_ID = "messages.0.id"
SMS_HTTP_ID = ""

# The secret with which the gateway signs delivery receipts: the header X-Signature holds the HMAC-SHA256 of
# the body in hexadecimal. Empty: no receipts.
# Example: SMS_HTTP_RECEIPT_SECRET = "0123456789abcdef0123456789abcdef"
SMS_HTTP_RECEIPT_SECRET = ""

# ------------------------------------------------------------------------------------ Login by e-mail
# Only with LOGIN_METHOD = "email".

# The server that takes the messages.
# Example: SMTP_HOST = "smtp.example.com"
SMTP_HOST = ""

# Its port. 0: the usual one, 587 with starttls, 465 with tls, 25 with none.
# Example: SMTP_PORT = 2525
SMTP_PORT = 0

# The user at that server. Empty: it asks for none.
# Example: SMTP_USER = "chat@example.com"
SMTP_USER = ""

# That user's password.
# Example: SMTP_PASS = "a long password"
SMTP_PASS = ""

# How the connection is protected, "starttls" or "tls" from its first byte. "none" is accepted for a server on
# this machine only.
# Example: SMTP_TLS = "tls"
SMTP_TLS = "starttls"

# The sender of the messages, with a name if wanted.
# Example: SMTP_FROM = "Example Chat <no-reply@example.com>"
SMTP_FROM = ""

# Domains of your own beside the public ones, such as the world does not know.
# Example: EMAIL_LOCAL_DOMAINS = ["firma.local", "intranet"]
EMAIL_LOCAL_DOMAINS = []

# -------------------------------------------------------------------------------------- Login by LDAP
# Only with LOGIN_METHOD = "ldap".

# The directory. ldap:// needs LDAP_STARTTLS unless it is on this machine.
# Example: LDAP_URL = "ldaps://ldap.example.com"
LDAP_URL = ""

# Whether an ldap:// connection is protected by StartTLS.
# Example: LDAP_STARTTLS = True
LDAP_STARTTLS = False

# The account that looks for people. Empty: the search is anonymous.
# Example: LDAP_BIND_DN = "cn=messenger,ou=services,dc=example,dc=com"
LDAP_BIND_DN = ""

# That account's password.
# Example: LDAP_BIND_PASS = "a long password"
LDAP_BIND_PASS = ""

# Below which entry people are looked for.
# Example: LDAP_BASE = "ou=people,dc=example,dc=com"
LDAP_BASE = ""

# Which entry is the person who typed {address}. It must find one entry at most.
# Example: LDAP_FILTER = "(&(mail={address})(memberOf=cn=chat,ou=groups,dc=example,dc=com))"
LDAP_FILTER = "(uid={address})"

# The attribute that holds a person's address, which names the account here. It must never change.
# Example: LDAP_ADDRESS_ATTRIBUTE = "sAMAccountName"
LDAP_ADDRESS_ATTRIBUTE = "uid"

# The attribute that holds the name for a new account.
# Example: LDAP_NAME_ATTRIBUTE = "displayName"
LDAP_NAME_ATTRIBUTE = "cn"

# A file with the authority that signed the directory's certificate. Empty: those of the system.
# Example: LDAP_CA_FILE = "/etc/ssl/certs/example-ca.pem"
LDAP_CA_FILE = ""

# ------------------------------------------------------------------------------------ Login by RADIUS
# Only with LOGIN_METHOD = "radius".

# The server. Several, separated by commas, are tried in turn, each with a port of its own if that is not
# RADIUS_PORT.
# Example: RADIUS_HOST = "radius1.example.com, radius2.example.com:1645"
RADIUS_HOST = ""

# The port of those servers that name none of their own.
# Example: RADIUS_PORT = 1645
RADIUS_PORT = 1812

# The secret that it shares with this machine. Make it long and random: passwords travel under it.
# Example: RADIUS_SECRET = "output of: openssl rand -hex 32"
RADIUS_SECRET = ""

# The name under which this server asks (NAS-Identifier).
# Example: RADIUS_NAS_ID = "chat.example.com"
RADIUS_NAS_ID = "messenger-api"

# ---------------------------------------------------------------------------- Login by OpenID Connect
# Only with LOGIN_METHOD = "oidc".

# Who issues the ID tokens, exactly as it stands in them as iss.
# Example: OIDC_ISSUER = "https://login.example.com"
OIDC_ISSUER = ""

# For whom they must be issued (aud): the client ID of your app. Several are separated by commas.
# Example: OIDC_CLIENT_ID = "messenger-android, messenger-ios"
OIDC_CLIENT_ID = ""

# The claim that holds a person's address. "email" counts only where email_verified is true.
# Example: OIDC_ADDRESS_CLAIM = "preferred_username"
OIDC_ADDRESS_CLAIM = "email"

# The claim that holds the name for a new account.
# Example: OIDC_NAME_CLAIM = "given_name"
OIDC_NAME_CLAIM = "name"

# Seconds since its issue in which a token logs in, 10 to 86400.
# Example: OIDC_MAX_AGE = 120
OIDC_MAX_AGE = 600

# The signatures that are accepted.
# Example: OIDC_ALGORITHMS = ["EdDSA"]
OIDC_ALGORITHMS = ["RS256", "ES256"]
