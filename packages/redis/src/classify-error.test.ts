import { CacheError } from '@cache/core'
import { expect, test } from 'vitest'
import { classifyError } from './classify-error.ts'

function reply(message: string): Error {
  return Object.assign(new Error(message), { name: 'ReplyError' })
}

function coded(code: string): Error {
  return Object.assign(new Error('x'), { code })
}

/** What a client of a cluster says when no node tells who holds what. */
function refreshFailed(lastNodeError: Error): Error {
  return Object.assign(new Error('Failed to refresh slots cache.'), { lastNodeError })
}

test.each([
  ['CONFIGURATION', reply('WRONGPASS invalid username-password pair')],
  ['CONFIGURATION', reply('NOAUTH Authentication required.')],
  ['CONFIGURATION', reply("NOPERM this user has no permissions to run the 'get' command")],
  ['CONFIGURATION', reply('MOVED 866 127.0.0.1:7001')],
  ['CONFIGURATION', reply("ERR unknown command 'UNLINK'")],
  ['CONFIGURATION', reply('ERR invalid password')],
  ['CONFIGURATION', reply('ERR DB index is out of range')],
  ['CONFIGURATION', reply('ERR value is out of range, value must between -2147483648 and 2147483647')],
  ['CONFIGURATION', reply('ERR SELECT is not allowed in cluster mode')],
  ['CONFIGURATION', coded('SELF_SIGNED_CERT_IN_CHAIN')],
  ['CONFIGURATION', coded('ERR_TLS_CERT_ALTNAME_INVALID')],
  ['UNAVAILABLE', reply('LOADING Redis is loading the dataset in memory')],
  ['UNAVAILABLE', reply("READONLY You can't write against a read only replica.")],
  ['UNAVAILABLE', reply('ERR max number of clients reached')],
  ['UNAVAILABLE', coded('ECONNREFUSED')],
  ['UNAVAILABLE', coded('ECONNRESET')],
  ['UNAVAILABLE', coded('ETIMEDOUT')],
  ['UNAVAILABLE', coded('EPIPE')],
  ['UNAVAILABLE', coded('ENOTFOUND')],
  ['UNAVAILABLE', coded('EAI_AGAIN')],
  ['UNAVAILABLE', coded('EHOSTUNREACH')],
  ['UNAVAILABLE', coded('ENETUNREACH')],
  ['UNAVAILABLE', coded('ENOENT')],
  ['UNAVAILABLE', new Error('Connection is closed.')],
  ['UNAVAILABLE', new Error("Stream isn't writeable and enableOfflineQueue options is false")],
  ['UNAVAILABLE', new Error('Reached the max retries per request limit (which is 0).')],
  ['UNAVAILABLE', new Error("Socket timeout. Expecting data, but didn't receive any in 300ms.")],
  ['UNAVAILABLE', reply('CLUSTERDOWN The cluster is down')],
  ['UNAVAILABLE', reply('TRYAGAIN Multiple keys request during rehashing of slot')],
  ['UNAVAILABLE', new Error('Failed to refresh slots cache.')],
  ['UNAVAILABLE', new Error('None of startup nodes is available')],
  ['UNAVAILABLE', new Error("Cluster isn't ready and enableOfflineQueue options is false")],
  ['UNAVAILABLE', new Error('Too many Cluster redirections. Last error: ReplyError: MOVED 1 127.0.0.1:1')],
  ['CONFIGURATION', refreshFailed(reply('WRONGPASS invalid username-password pair'))],
  ['CONFIGURATION', refreshFailed(reply('ERR This instance has cluster support disabled'))],
  ['UNAVAILABLE', refreshFailed(coded('ECONNREFUSED'))],
  ['TIMEOUT', new Error('Command timed out')],
  ['CORRUPT', reply('WRONGTYPE Operation against a key holding the wrong kind of value')],
  ['STORE', reply('OOM command not allowed when used memory > maxmemory')],
  ['STORE', reply('ERR something else')],
  ['STORE', reply('no code at all')],
  ['STORE', new TypeError('a bug')],
  ['STORE', 'not an error'],
])('%s: %s', (code, thrown) => {
  const error = classifyError(thrown)
  expect(error.code).toBe(code)
  expect(error.cause).toBeInstanceOf(Error)
})

test('an error that is classified already stays as it is', () => {
  const error = new CacheError('CLOSED', 'x')
  expect(classifyError(error)).toBe(error)
})
