import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import type { Cache } from '@cache/core'

/** `GET` and `PUT /settings/name`; every answer says which worker gave it. */
export function createWorker(settings: Cache<string>, id: number): Server {
  return createServer((request, response) => {
    response.setHeader('x-worker', id)
    // Nothing but the caller going away fails here: the cache answers whatever happens to Redis.
    answer(settings, request, response).catch(() => response.destroy())
  })
}

async function answer(
  settings: Cache<string>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const name = /^\/settings\/([\w-]+)$/.exec(request.url ?? '')?.[1]
  if (name && request.method === 'PUT') {
    const { status } = await settings.set(name, await text(request))
    response.end(`${status}\n`)
    return
  }
  const value = name && (await settings.get(name))
  response.writeHead(value === undefined ? 404 : 200).end(value)
}
