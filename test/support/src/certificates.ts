import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/**
 * Certificates for tests, made with openssl, valid from 2020 to 2120. The keys of both authorities were thrown away, so
 * nothing else can be signed by them.
 */
export const certificates: {
  /** The authority that signed the server's certificate. */
  readonly authority: string
  /** An authority that has nothing to do with the server. */
  readonly stranger: string
  /** Arguments for a server that speaks TLS as `localhost` and `127.0.0.1`. */
  readonly serverArgs: readonly string[]
} = {
  authority: readFileSync(pathTo('authority.crt'), 'utf8'),
  stranger: readFileSync(pathTo('stranger.crt'), 'utf8'),
  serverArgs: [
    ...['--tls-cert-file', pathTo('server.crt'), '--tls-key-file', pathTo('server.key')],
    ...['--tls-ca-cert-file', pathTo('authority.crt'), '--tls-auth-clients', 'no'],
  ],
}

function pathTo(name: string): string {
  return fileURLToPath(new URL(`./certificates/${name}`, import.meta.url))
}
