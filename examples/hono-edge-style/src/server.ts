import { serve } from '@hono/node-server'
import { createApp } from './app.ts'
import { Products } from './products.ts'

// Only this file knows Node. Elsewhere: `export default createApp(new Products())`.
const { HOST = '127.0.0.1', PORT = '3000' } = process.env
const { fetch } = createApp(new Products())

const server = serve({ fetch, hostname: HOST, port: Number(PORT) }, () => {
  console.log(`http://${HOST}:${PORT}/products/1`)
})

for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => server.close())
