import { createServer, type IncomingMessage, type Server } from 'node:http'
import { text } from 'node:stream/consumers'
import type { Cache } from '@cache/core'

/** `GET /settings/name` and `PUT /settings/name`, and in every answer who gave it and from where it had the value. */
export function createWorker(settings: Cache<string>, id: number): Server {
  return createServer(async (request, response) => {
    response.setHeader('x-worker', id)
    const name = /^\/settings\/([\w-]+)$/.exec(request.url ?? '')?.[1]
    if (!name) return response.writeHead(404).end()
    try {
      if (request.method === 'PUT') {
        const { status } = await settings.set(name, await text(request))
        return response.end(`${status}\n`)
      }
      const value = await settings.get(name)
      response.setHeader('x-memory-hits', memoryHits(settings))
      return response.writeHead(value === undefined ? 404 : 200).end(value)
    } catch (error) {
      return response.writeHead(isGone(request) ? 400 : 500).end(`${error}\n`)
    }
  })
}

function memoryHits(settings: Cache<string>): number {
  return settings.stats().tiers.find(({ tier }) => tier === 'memory')?.hits ?? 0
}

function isGone(request: IncomingMessage): boolean {
  return request.destroyed && !request.complete
}
