/**
 * A registry of the packed packages, for npm and pnpm to install `@cache/*` from as they would from npm's. A template needs
 * no change for it, and everything else comes from the registry that the machine is set up for.
 */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { basename } from 'node:path'
import { packPackages } from '../../scripts/pack.ts'

export interface Registry extends AsyncDisposable {
  readonly url: string
}

/** Needs a build. */
export async function startRegistry(): Promise<Registry> {
  const packing = await packPackages()
  const tarballs = new Map<string, Buffer>()
  const documents = new Map<string, object>()

  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? '').replace(/^\//, '')
    const document = documents.get(path)
    const body = document ? JSON.stringify(document) : tarballs.get(path)
    response.setHeader('content-type', document ? 'application/json' : 'application/octet-stream')
    response.writeHead(body ? 200 : 404).end(body)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  for (const { tarball, manifest } of packing.packages) {
    const { name, version } = manifest
    const bytes = await readFile(tarball)
    const integrity = `sha512-${createHash('sha512').update(bytes).digest('base64')}`
    const dist = { tarball: `${url}/${basename(tarball)}`, integrity }
    tarballs.set(basename(tarball), bytes)
    documents.set(name, {
      name,
      'dist-tags': { latest: version },
      versions: { [version]: { ...manifest, dist } },
      // Long enough ago for package managers that let a release lie for a day before they trust it.
      time: { [version]: '2020-01-01T00:00:00.000Z' },
    })
  }
  return {
    url,
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
      await packing[Symbol.asyncDispose]()
    },
  }
}
