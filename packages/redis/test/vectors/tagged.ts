/** Turns the values of the vectors, which are JSON, into those meant: `{"$date": 0}` into a `Date`, and so on. */
export function untag(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(untag)
  if (typeof value !== 'object' || value === null) return value
  const [[tag, content] = ['', undefined], ...more] = Object.entries(value)
  const make = more.length === 0 ? TAGS[tag] : undefined
  if (make) return make(content)
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, untag(each)]))
}

const list = (content: unknown): unknown[] => (content as unknown[]).map(untag)

const TAGS: Readonly<Record<string, (content: unknown) => unknown>> = {
  $date: content => new Date(content as number),
  $bytes: content => new Uint8Array(Buffer.from(content as string, 'base64')),
  $bigint: content => BigInt(content as string),
  $number: content => Number(content),
  $undefined: () => undefined,
  $map: content => new Map(list(content) as [unknown, unknown][]),
  $set: content => new Set(list(content)),
}
