import { ours } from './ours.ts'
import { peers } from './peers.ts'
import { raw } from './raw.ts'
import type { Contestant } from './subject.ts'

/** What all are compared with: the client and JSON. */
export const REFERENCE: string = raw.name

/** Everybody, the reference first. */
export const CONTESTANTS: readonly Contestant[] = [raw, ...ours, ...peers]
