import { afterAll, expect, test } from 'vitest'
import TieredCacheHandler from '../cache/handler.ts'
import { closeCache } from '../cache/store.ts'

type Value = Parameters<TieredCacheHandler['set']>[1]

const handler = new TieredCacheHandler()
afterAll(closeCache)

const FETCH = { kind: 'FETCH' } as Parameters<TieredCacheHandler['get']>[1]
const PAGE = { kind: 'APP_PAGE', isFallback: false } as Parameters<TieredCacheHandler['get']>[1]

function page(tags: string): Value {
  const segmentData = new Map([['/', Buffer.from('segment')]])
  const headers = { 'x-next-cache-tags': tags }
  const rest = { rscData: Buffer.from('rsc'), postponed: undefined, status: 200 }
  return { kind: 'APP_PAGE', html: '<p>', headers, segmentData, ...rest } as Value
}

function data(): Value {
  return { kind: 'FETCH', data: { headers: {}, body: '{}', url: '' }, revalidate: 60 } as Value
}

test('a page is kept whole, with its life, and goes with its tag', async () => {
  const cacheControl = { revalidate: 60, expire: 3_600 }
  await handler.set('/a', page('_N_T_/a,product:1'), { cacheControl })
  expect(await handler.get('/a', PAGE)).toMatchObject({ cacheControl, value: page('_N_T_/a,product:1') })
  await handler.revalidateTag('product:2')
  expect(await handler.get('/a', PAGE)).not.toBeNull()
  await handler.revalidateTag(['product:1'])
  expect(await handler.get('/a', PAGE)).toBeNull()
})

test('fetched data goes with its tag', async () => {
  await handler.set('f', data(), { fetchCache: true, tags: ['product:3'] })
  expect(await handler.get('f', FETCH)).toMatchObject({ value: data() })
  await handler.revalidateTag('product:3')
  expect(await handler.get('f', FETCH)).toBeNull()
})

test('fetched data goes with the path that reads it, and what is fetched later stays', async () => {
  const context = { ...FETCH, softTags: ['_N_T_/b'] } as typeof FETCH
  await handler.set('g', data(), { fetchCache: true, tags: [] })
  expect(await handler.get('g', context)).not.toBeNull()
  await handler.revalidateTag('_N_T_/b')
  expect(await handler.get('g', context)).toBeNull()
  await expect
    .poll(async () => {
      await handler.set('g', data(), { fetchCache: true, tags: [] })
      return handler.get('g', context)
    })
    .not.toBeNull()
})
