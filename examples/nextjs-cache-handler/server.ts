import { createServer } from 'node:http'
import next from 'next'
import { closeCache } from './cache/store.ts'

const { HOST = '127.0.0.1', PORT = '3000' } = process.env

// `next start` ends by the signal and drops what is under way; this answers it, and lets go of Redis.
const app = next({ dev: false, hostname: HOST, port: Number(PORT) })
await app.prepare()
const handle = app.getRequestHandler()
const server = createServer((request, response) => handle(request, response))
server.listen(Number(PORT), HOST, () => console.log(`http://${HOST}:${PORT}`))

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () =>
    server.close(async () => {
      await app.close()
      await closeCache()
    }),
  )
}
