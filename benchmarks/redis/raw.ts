import { type Contestant, type Subject, TTL_MS, WORKLOADS } from './subject.ts'

/** One ioredis client as it comes, and JSON: the least that any of the others must do. */
export const raw: Contestant = {
  name: 'ioredis',
  packages: ['ioredis'],
  workloads: WORKLOADS,
  async open(url): Promise<Subject> {
    const { Redis } = await import('ioredis')
    const client = new Redis(url)
    await client.ping()
    return {
      get: async key => parse(await client.getBuffer(key)),
      getMany: async keys => (await client.mgetBuffer([...keys])).map(parse),
      async set(key, value) {
        await client.set(key, JSON.stringify(value), 'PX', TTL_MS)
      },
      async setMany(items) {
        const pipeline = client.pipeline()
        for (const [key, item] of items) pipeline.set(key, JSON.stringify(item), 'PX', TTL_MS)
        for (const [error] of (await pipeline.exec()) ?? []) if (error) throw error
      },
      async getOrSet(key, load) {
        const found = parse(await client.getBuffer(key))
        if (found !== undefined) return found
        const item = await load()
        await client.set(key, JSON.stringify(item), 'PX', TTL_MS)
        return item
      },
      close: () => client.disconnect(),
    }
  },
}

function parse(bytes: Buffer | null): unknown {
  return bytes === null ? undefined : JSON.parse(bytes.toString())
}
