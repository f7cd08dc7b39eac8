/** Header of an object or array, and what a property or element takes on top of its value. */
const OBJECT_BYTES = 24
const SLOT_BYTES = 8
const NUMBER_BYTES = 8
/** Header, length and hash of a string. */
const STRING_BYTES = 16

/**
 * About how many bytes a value takes in memory. **An estimate**: strings count one byte a character (two if they hold
 * any beyond Latin-1), buffers their length, objects and collections what they hold plus a header; shared parts
 * count once, functions and symbols as a reference. Expect to be off by a third either way. Takes time in proportion
 * to the number of parts.
 */
export function estimateBytes(value: unknown): number {
  const seen = new Set<object>()
  const open: unknown[] = [value]
  let bytes = 0
  while (open.length > 0) {
    const part = open.pop()
    if (typeof part !== 'object' || part === null) bytes += primitiveBytes(part)
    else if (!seen.has(part)) {
      seen.add(part)
      bytes += objectBytes(part, open)
    }
  }
  return bytes
}

/** What an entry weighs if nobody else says. */
export function estimateEntry(value: unknown, key: unknown): number {
  return estimateBytes(value) + estimateBytes(key)
}

function primitiveBytes(value: unknown): number {
  if (typeof value === 'string') return STRING_BYTES + value.length * (isLatin1(value) ? 1 : 2)
  if (typeof value === 'bigint') return OBJECT_BYTES + value.toString(16).length / 2
  return typeof value === 'number' ? NUMBER_BYTES : 0
}

/** Bytes of the object itself; what it holds is put on `open`. */
function objectBytes(object: object, open: unknown[]): number {
  if (ArrayBuffer.isView(object) || object instanceof ArrayBuffer) return OBJECT_BYTES + object.byteLength
  if (Array.isArray(object)) {
    for (const element of object) open.push(element)
    return OBJECT_BYTES + object.length * SLOT_BYTES
  }
  if (object instanceof Map) {
    for (const [key, value] of object) open.push(key, value)
    return OBJECT_BYTES + object.size * 3 * SLOT_BYTES
  }
  if (object instanceof Set) {
    for (const element of object) open.push(element)
    return OBJECT_BYTES + object.size * 2 * SLOT_BYTES
  }
  const keys = Object.keys(object)
  for (const key of keys) {
    // What a getter makes up when asked takes no room, and asking may throw.
    const property = Object.getOwnPropertyDescriptor(object, key)
    if (property && 'value' in property) open.push(property.value)
  }
  return OBJECT_BYTES + keys.length * SLOT_BYTES
}

/** Whether V8 can keep the string in one byte a character; looks at no more than the first 1,024. */
function isLatin1(text: string): boolean {
  const end = Math.min(text.length, 1_024)
  for (let i = 0; i < end; i++) if (text.charCodeAt(i) > 0xff) return false
  return true
}
