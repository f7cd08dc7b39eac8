import { CacheError, type Codec, type Entry, invalidOption, oneOf } from '@cache/core'

/**
 * What a store does against callers who change an object after they stored or read it:
 *
 * - `none`: nothing; everyone shares one object. The fastest.
 * - `clone`: a structured clone goes in and another comes out of each read. Costs time in proportion to the value.
 * - `freeze`: the object itself is frozen, deeply, when it is stored, the writer's reference included. Reads cost
 *   nothing. Contents of `Map`, `Set`, `Date`, buffers and private fields cannot be frozen.
 */
export type CopyMode = 'none' | 'clone' | 'freeze'

/** How entries go in and come out. */
export interface Copier {
  store(entry: Entry): Entry
  load(entry: Entry): Entry
}

const same = (entry: Entry): Entry => entry

const COPIERS: Readonly<Record<CopyMode, Copier>> = {
  none: { store: same, load: same },
  clone: { store: cloneForStoring, load: entry => structuredClone(entry) },
  freeze: { store: freeze, load: same },
}

/** @throws CacheError `INVALID_OPTION` */
export function copierOf(mode: CopyMode = 'none', codec?: Codec): Copier {
  const accepted = oneOf(mode, 'copy', Object.keys(COPIERS) as CopyMode[])
  if (codec === undefined) return COPIERS[accepted]
  if (typeof codec?.encode !== 'function' || typeof codec.decode !== 'function') {
    throw invalidOption('codec', codec, 'a Codec (encode, decode)')
  }
  if (accepted === 'none') return encoding(codec)
  throw invalidOption('copy', accepted, "'none' beside a codec, for every read decodes a copy")
}

/** What is kept of a value are its bytes. */
function encoding(codec: Codec): Copier {
  return {
    store: entry => ({ ...entry, value: alone(codec.encode(entry.value)) }),
    load: entry => ({ ...entry, value: codec.decode(entry.value as Uint8Array) }),
  }
}

/** Bytes in a buffer of their own: those that share one with others would keep all of it in memory. */
function alone(bytes: Uint8Array): Uint8Array {
  return bytes.byteLength === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes)
}

function cloneForStoring(entry: Entry): Entry {
  try {
    return structuredClone(entry)
  } catch (cause) {
    throw new CacheError('SERIALIZATION', "copy: 'clone' cannot clone this value (functions, symbols, …)", {
      cause,
    })
  }
}

/** Freezes an entry and all it holds, without recursion: nesting may be deep and go in circles. */
function freeze(entry: Entry): Entry {
  const seen = new Set<object>()
  const open: unknown[] = [entry]
  while (open.length > 0) {
    const part = open.pop()
    if (typeof part !== 'object' || part === null || seen.has(part) || ArrayBuffer.isView(part)) continue
    seen.add(part)
    Object.freeze(part)
    for (const descriptor of Object.values(Object.getOwnPropertyDescriptors(part)))
      open.push(descriptor.value)
  }
  return entry
}
