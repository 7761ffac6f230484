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
#   MESIBO_APP_TOKEN                     ends the sandbox
#   SMS_PROVIDERS and the TWILIO_ keys   who sends the codes
#   DEFAULT_COUNTRY, SMS_COUNTRIES       where your users are
#   PUBLIC_URL, TRUSTED_PROXY_HOPS       the address that the apps call, and the proxies in front

# ---------------------------------------------------------------------------------------- Database
# Where accounts, sessions, groups and the outbox live. With none of these keys set it is a SQLite file
# under INSTANCE_PATH, made and upgraded by itself: enough to begin with, on one machine.

# The database's address in SQLAlchemy's form, which replaces all the DB_ keys below but DB_POOL_SIZE.
# A relative SQLite path begins at the working folder.
# Example: SQLALCHEMY_DATABASE_URI = "mysql+pymysql://messenger:password@db.example.com/messenger?charset=utf8mb4"
SQLALCHEMY_DATABASE_URI = ""

# The host of MySQL or MariaDB; empty means SQLite. Several, separated by commas, are tried in turn, each
# with a port of its own if that is not DB_PORT.
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

# Connections that each server process keeps at most. All processes together must stay under the
# database's max_connections.
# Example: DB_POOL_SIZE = 20
DB_POOL_SIZE = 10

# ------------------------------------------------------------------------------------------ mesibo

# mesibo's backend API: the hosted one, or your own server with mesibo on premises.
# Example: MESIBO_API_URL = "https://chat.example.com/mesiboapi"
# Example: MESIBO_API_URL = "https://chat.example.com/api.php"
MESIBO_API_URL = "https://api.mesibo.com/backend"

# The app token that the mesibo console shows for your app. Without it a sandbox takes mesibo's place,
# which is for trying and developing only.
# Example: MESIBO_APP_TOKEN = "c7hl...y3s2"
MESIBO_APP_TOKEN = ""

# How requests are written: "json", "form" (the older style, with flat names), or "auto", which takes
# "form" for a URL that ends in api.php and "json" for all others.
# Example: MESIBO_API_STYLE = "form"
MESIBO_API_STYLE = "auto"

# Seconds to wait for a connection to mesibo, 0.1 to 30.
# Example: MESIBO_CONNECT_TIMEOUT = 5
MESIBO_CONNECT_TIMEOUT = 3.0

# Seconds that a whole call to mesibo may take, 0.1 to 60. A stopping server waits for it, too.
# Example: MESIBO_TIMEOUT = 15
MESIBO_TIMEOUT = 10.0

# Calls to mesibo that each server process makes at once at most. A process serves 32 requests at a time;
# the difference keeps contacts and profiles quick while mesibo is slow.
# Example: MESIBO_MAX_CALLS = 8
MESIBO_MAX_CALLS = 16

# The longest request body in bytes that mesibo takes; longer lists are split. On premises it is the
# client_max_body_size of its nginx, 8192 on a stock installation.
# Example: MESIBO_MAX_BODY = 65536
MESIBO_MAX_BODY = 8192

# Whether the sandbox plays mesibo and shows everyone's codes at /sandbox. None: yes as long as there is no
# MESIBO_APP_TOKEN, and only on an address that no other machine can reach. True: yes, wherever this
# listens. False: never.
# Example: SANDBOX = True
SANDBOX = None

# --------------------------------------------------------------------------------------- The apps
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

# The notification for those who have a new user's number in their phone book. The app puts the name from
# that phone book in the place of %NAME%.
# Example: JOIN_SUBJECT = "%NAME% is here"
JOIN_SUBJECT = "%NAME% is on Mesibo now"

# The text of that notification.
# Example: JOIN_MESSAGE = "%NAME% now uses Example Chat too."
JOIN_MESSAGE = "Hey, your contact %NAME% has just joined Mesibo, you may want to say hi!"

# ------------------------------------------------------------------------------------------ Files
# Paths are relative to the folder in which the server is started, or absolute.

# The folder of this installation: the SQLite file, the secret key that was made by itself, the sandbox's
# memory.
# Example: INSTANCE_PATH = "/var/lib/messenger-api"
INSTANCE_PATH = "instance"

# The folder for profile photos and attachments. With several machines it must be one that they share.
# Example: FILES_PATH = "/srv/messenger/files"
FILES_PATH = "uploads"

# The folder for thumbnails of profile photos.
# Example: FILES_TN_PATH = "/srv/messenger/files/tn"
FILES_TN_PATH = "uploads/tn"

# The largest attachment, in bytes: 25 MB. A proxy in front must let a little more through.
# Example: MAX_UPLOAD_BYTES = 100 * 1024 * 1024
MAX_UPLOAD_BYTES = 25 * 1024 * 1024

# The largest profile photo as it is sent, in bytes: 10 MB.
# Example: MAX_PHOTO_BYTES = 5 * 1024 * 1024
MAX_PHOTO_BYTES = 10 * 1024 * 1024

# The largest picture that is unpacked, in pixels (width times height). Each megapixel takes some 4 MB of
# memory while it is looked at.
# Example: MAX_PHOTO_PIXELS = 50_000_000
MAX_PHOTO_PIXELS = 32_000_000

# ------------------------------------------------------------------------------------------ Login

# The key of this installation: it protects codes and hides phone books. Required with MySQL; with SQLite
# one is made at the first start and kept in INSTANCE_PATH. Keep a backup apart from the database's: with
# another key no phone book matches any more.
# Example: SECRET_KEY = "output of: openssl rand -hex 32"
SECRET_KEY = ""

# How people prove who they are. "otp": by a one-time code in a text message.
# Example: LOGIN_METHOD = "otp"
LOGIN_METHOD = "otp"

# The country, as two ISO letters, in which numbers without a country code are read at the login.
# Empty: they are refused.
# Example: DEFAULT_COUNTRY = "IN"
DEFAULT_COUNTRY = ""

# The countries that may be texted, as two ISO letters each. Empty: all of them, which invites swindlers
# who earn on texts to dear numbers.
# Example: SMS_COUNTRIES = ["IN", "DE"]
SMS_COUNTRIES = []

# Who sends the texts, tried in this order: "twilio", a class of your own by its dotted path, or "console",
# which only prints them and is for development.
# Example: SMS_PROVIDERS = ["twilio", "mycompany.sms.MyProvider"]
SMS_PROVIDERS = ["console"]

# The text message; {code} and {app} are filled in. Empty: a sentence in the language of the phone.
# Example: SMS_TEXT = "{code} is your code for {app}."
SMS_TEXT = ""

# The name of your app in text messages.
# Example: SMS_APP_NAME = "Example Chat"
SMS_APP_NAME = "Messenger"

# Twilio's account: the "Account SID" of its console.
# Example: TWILIO_ACCOUNT_SID = "AC0123456789abcdef0123456789abcdef"
TWILIO_ACCOUNT_SID = ""

# The "Auth Token" of that account.
# Example: TWILIO_AUTH_TOKEN = "0123456789abcdef0123456789abcdef"
TWILIO_AUTH_TOKEN = ""

# The sender: a number of the account with + and country code, a messaging service (MG...) or a name.
# Example: TWILIO_FROM = "+14155550100"
TWILIO_FROM = ""

# Twilio's address; another one for a region of Twilio's, or for the sandbox.
# Example: TWILIO_API_URL = "https://api.dublin.ie1.twilio.com"
TWILIO_API_URL = "https://api.twilio.com"

# Digits of a one-time code, 6 to 10. Check that your apps take more than 6.
# Example: OTP_LENGTH = 8
OTP_LENGTH = 6

# Seconds for which a code is good, 60 to 600.
# Example: OTP_TTL = 600
OTP_TTL = 300

# Wrong codes after which a code is dead, 1 to 10.
# Example: OTP_MAX_ATTEMPTS = 3
OTP_MAX_ATTEMPTS = 5

# Seconds before another code may be asked for, 0 to 600.
# Example: OTP_RESEND_AFTER = 60
OTP_RESEND_AFTER = 30

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

# ----------------------------------------------------------------------------------------- Limits

# What happens at a counting limit, such as OTP_RESEND_AFTER: "enforce" it, only count and log it
# ("track"), or nothing ("off"). How long a code is good and how often it may be guessed always holds.
# Example: LIMITS = "track"
LIMITS = "enforce"

# Phone numbers in one request at most, 100 to 50000. The apps send up to 200.
# Example: MAX_PHONES_PER_CALL = 1000
MAX_PHONES_PER_CALL = 10_000

# Members of a group at most, 2 to 5000, its owner included. A message about a full group must fit into
# MESIBO_MAX_BODY: 506 members do into 8192 bytes.
# Example: MAX_GROUP_MEMBERS = 500
MAX_GROUP_MEMBERS = 256

# -------------------------------------------------------------------------------------- Operation

# Proxies in front whose X-Forwarded-For, -Proto and -Host are believed: 1 behind one nginx or Caddy, 2
# behind a CDN and nginx. 0: none is, and whoever writes such headers is not believed.
# Example: TRUSTED_PROXY_HOPS = 1
TRUSTED_PROXY_HOPS = 0

# Whether each server process also delivers the outbox: update messages, mirrored groups. False leaves it
# to processes of their own: messenger-api worker
# Example: OUTBOX_IN_SERVER = False
OUTBOX_IN_SERVER = True

# Seconds after which what a dead process had begun is taken over by another, 2 to 3600. More than
# MESIBO_TIMEOUT, or a slow call is made twice.
# Example: OUTBOX_LEASE = 120
OUTBOX_LEASE = 60

# Failures after which an item is given up and kept for messenger-api outbox status. Outages of mesibo do
# not count. The time between two tries grows to five minutes.
# Example: OUTBOX_MAX_ATTEMPTS = 100
OUTBOX_MAX_ATTEMPTS = 48

# What is logged: "debug", "info", "warning" or "error" and what is worse. Never codes, tokens or full
# phone numbers.
# Example: LOG_LEVEL = "warning"
LOG_LEVEL = "info"

# The log's form: "text" for people, "json" for programs.
# Example: LOG_FORMAT = "json"
LOG_FORMAT = "text"
