import { CacheError, type CacheErrorCode } from '@cache/core'
import { redact, replyCode } from './redact.ts'

type Verdict = readonly [code: CacheErrorCode, message: string]

/** What the first word of an error reply means for a cache. */
const REPLIES: Readonly<Record<string, Verdict>> = {
  WRONGPASS: ['CONFIGURATION', 'Redis refuses our user name or password'],
  NOAUTH: ['CONFIGURATION', 'Redis asks for a password and none was given'],
  NOPROTO: ['CONFIGURATION', 'Redis does not speak the protocol version asked for'],
  MOVED: ['CONFIGURATION', 'the server is a node of a Redis Cluster'],
  ASK: ['CONFIGURATION', 'the server is a node of a Redis Cluster'],
  CROSSSLOT: ['CONFIGURATION', 'the server is a node of a Redis Cluster'],
  LOADING: ['UNAVAILABLE', 'Redis is loading its data'],
  READONLY: ['UNAVAILABLE', 'Redis is a read-only replica'],
  NOREPLICAS: ['UNAVAILABLE', 'Redis refuses writes because it has lost its replicas'],
  MASTERDOWN: ['UNAVAILABLE', 'Redis has lost its master'],
  CLUSTERDOWN: ['UNAVAILABLE', 'the Redis Cluster is down'],
  TRYAGAIN: ['UNAVAILABLE', 'Redis asks to try again'],
  BUSY: ['UNAVAILABLE', 'Redis is busy with a script'],
  OOM: ['STORE', 'Redis is out of memory (maxmemory) and refuses writes'],
  MISCONF: ['STORE', 'Redis refuses writes because it cannot save its data'],
  WRONGTYPE: ['CORRUPT', 'the key holds something that is not a cache entry'],
}

/** What a command in a script answered, as servers before 7.0 repeat it. */
const IN_SCRIPT = /^ERR Error running script .*?: -([A-Z]{2,20}) /
/** The plain `ERR` replies that say something more precise. */
const GENERAL_REPLIES: readonly (readonly [RegExp, Verdict])[] = [
  [/max number of clients/, ['UNAVAILABLE', 'Redis has no connection left (maxclients)']],
  [/unknown (sub)?command/i, ['CONFIGURATION', 'Redis does not know a command that this cache needs']],
  [/invalid password|AUTH/, ['CONFIGURATION', 'Redis refuses our user name or password']],
  [/DB index|value is out of range, value must/, ['CONFIGURATION', 'Redis has no database of this number']],
  [/cluster support disabled/, ['CONFIGURATION', 'the server is no node of a Redis Cluster']],
  [/SELECT is not allowed/, ['CONFIGURATION', 'the server is a node of a Redis Cluster']],
]

/** Of sockets and resolvers (Node's `error.code`), and of the client itself, which tells by message only. */
const NETWORK_CODE = /^(E[A-Z_]*(CONN|PIPE|TIMEDOUT|NOTFOUND|UNREACH|AI_|NOENT|ACCES|NETDOWN|HOSTDOWN).*)$/
const TLS_CODE = /^(ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_)/
const CLIENT_OFFLINE =
  /^(Connection is closed|Stream isn't writeable|Reached the max retries|Command aborted due to|Socket timeout)/
/** What a client of a cluster says by itself, for want of a node that would answer. */
const CLUSTER_OFFLINE =
  /^(Failed to refresh slots cache|None of startup nodes is available|Cluster (is|isn't) |Too many Cluster redirections)/
const NO_SENTINEL = /^All sentinels are unreachable/
/** What the last sentinel answered, as the client repeats it. */
const REFUSED_BY_SENTINEL = /Last error: (WRONGPASS|NOAUTH|NOPERM) /
/** Refused to the user itself, or to a script that it runs; the latter has no code of its own. */
const NO_PERMISSION = /^(NOPERM|ERR (ACL failure in script|The user executing the script can't))/

/**
 * Whatever a client, socket or server threw, as a `CacheError`: `UNAVAILABLE`, `TIMEOUT`, `CONFIGURATION`
 * (credentials, permissions, protocol), `CORRUPT` (a foreign type under our key) or `STORE` (all else).
 * The cause is redacted: it never carries values or credentials.
 */
export function classifyError(thrown: unknown): CacheError {
  if (thrown instanceof CacheError) return thrown
  const [code, message] = judge(thrown)
  return new CacheError(code, message, { cause: redact(thrown) })
}

/** As {@link classifyError}, of an error reply that came as text: from a script, which goes on after it. */
export function classifyReply(reply: string): CacheError {
  const error = new Error(reply)
  error.name = 'ReplyError'
  return classifyError(error)
}

function judge(thrown: unknown): Verdict {
  if (!(thrown instanceof Error)) return ['STORE', 'Redis failed']
  const reply = replyCode(thrown)
  if (reply) return REPLIES[reply] ?? judgeGeneral(thrown.message)
  const { code } = thrown as NodeJS.ErrnoException
  if (typeof code === 'string') {
    if (NETWORK_CODE.test(code)) return ['UNAVAILABLE', `Redis cannot be reached (${code})`]
    if (TLS_CODE.test(code)) return ['CONFIGURATION', 'the TLS connection to Redis cannot be made']
    if (code === 'ERR_SOCKET_BAD_PORT') return ['CONFIGURATION', 'the port of Redis is not a port']
  }
  if (thrown.message === 'Command timed out') return ['TIMEOUT', 'Redis did not answer in time']
  if (CLUSTER_OFFLINE.test(thrown.message)) return judgeCluster(thrown)
  if (NO_SENTINEL.test(thrown.message)) return judgeSentinels(thrown.message)
  if (CLIENT_OFFLINE.test(thrown.message)) return ['UNAVAILABLE', 'the connection to Redis is down']
  return ['STORE', 'the Redis client failed']
}

/** The client asks one node after the other; what the last one answered may be a matter of configuration. */
function judgeCluster({ lastNodeError }: Error & { readonly lastNodeError?: unknown }): Verdict {
  const verdict = lastNodeError instanceof Error ? judge(lastNodeError) : undefined
  if (verdict?.[0] === 'CONFIGURATION') return verdict
  return ['UNAVAILABLE', 'the Redis Cluster does not answer, or is being rearranged']
}

function judgeSentinels(message: string): Verdict {
  if (REFUSED_BY_SENTINEL.test(message)) {
    return ['CONFIGURATION', 'the sentinels refuse our user name or password']
  }
  return ['UNAVAILABLE', 'no sentinel tells where the Redis master is (are they up, and is its name right?)']
}

/** Names what is missing, in the words of an ACL rule; never the key, the channel or the user. */
function judgePermission(message: string): Verdict {
  const [, command] = /run the '([a-z][a-z|-]{1,40})' command/.exec(message) ?? []
  const missing = command
    ? `+${command}`
    : /channels?\b/.test(message)
      ? 'its channel (&)'
      : /keys?\b/.test(message)
        ? 'its keys (~)'
        : 'a command that one of its scripts runs'
  return ['CONFIGURATION', `the Redis user lacks a permission that this cache needs: ${missing}`]
}

function judgeGeneral(message: string): Verdict {
  if (NO_PERMISSION.test(message)) return judgePermission(message)
  const [, inScript = ''] = IN_SCRIPT.exec(message) ?? []
  const verdict = REPLIES[inScript]
  if (verdict) return verdict
  for (const [pattern, general] of GENERAL_REPLIES) if (pattern.test(message)) return general
  return ['STORE', 'Redis answered with an error']
}
