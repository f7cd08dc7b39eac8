import type { Socket } from 'node:net'
import { type RespCommand, RespCommands } from './resp-commands.ts'

/** What a connection is for, as its first command beyond the handshake tells. */
export type LinkRole = 'subscriber' | 'commands'

/** What is done to the connections of a kind; see {@link ToxicProxy.inflict}. */
export type Toxic =
  /** Resets new connections, and those that stand. */
  | { readonly kind: 'refuse' }
  /** Carries nothing. What was sent meanwhile arrives afterwards, if both ends are still there. */
  | { readonly kind: 'blackhole' }
  /**
   * As `blackhole`; what a client sends arrives `afterMs` behind its end, even if the client has gone by then: in that case only
   * what it sent in the first {@link FIRST_MS}, and the rest is lost with the connection.
   */
  | { readonly kind: 'late'; readonly afterMs: number }
  /** Carries everything so much later, both ways or answers only. */
  | { readonly kind: 'delay'; readonly ms: number; readonly only?: 'answers' }
  | { readonly kind: 'bandwidth'; readonly bytesPerSecond: number }
  /** Carries half of the next answer; then the connection is reset, or carries nothing more. */
  | { readonly kind: 'half-frame'; readonly behind: 'reset' | 'stall' }
  /**
   * What becomes of the next write of each connection: it is not sent and the connection is reset (`unsent`), it is carried out
   * and the connection is reset before the answer (`unanswered`), or from there on nothing is carried (`stalled`).
   */
  | { readonly kind: 'lose-writes'; readonly how: 'unsent' | 'unanswered' | 'stalled' }

const FIRST_MS = 250

/** A part of the traffic one way, and when it may go on. */
interface Parcel {
  readonly bytes: Buffer
  readonly sentAt: number
  due: number
}

/** One way through a link. */
interface Lane {
  readonly from: Socket
  readonly to: Socket
  readonly parcels: Parcel[]
  timer?: NodeJS.Timeout
}

const HANDSHAKE: ReadonlySet<string> = new Set([
  'HELLO',
  'AUTH',
  'SELECT',
  'CLIENT',
  'INFO',
  'PING',
  'READONLY',
])
const READS: ReadonlySet<string> = new Set([
  'GET',
  'MGET',
  'GETRANGE',
  'PTTL',
  'TIME',
  'SCAN',
  'ZSCORE',
  'ZRANGE',
  'CLUSTER',
])

/** One connection through a {@link ToxicProxy}, and what is being done to it. */
export class ToxicLink {
  role: LinkRole | undefined
  readonly #toxicsOf: (link: ToxicLink) => readonly Toxic[]
  readonly #onClose: () => void
  readonly #commands = new RespCommands()
  readonly #up: Lane
  readonly #down: Lane
  #stalled = false
  #cutAtAnswer = false
  /** What was on its way before this arrives not before then, whoever is still there. */
  #lateUntil: number | undefined
  #clientGone = false

  constructor(
    client: Socket,
    server: Socket,
    toxicsOf: (link: ToxicLink) => readonly Toxic[],
    onClose: () => void,
  ) {
    this.#toxicsOf = toxicsOf
    this.#onClose = onClose
    this.#up = { from: client, to: server, parcels: [] }
    this.#down = { from: server, to: client, parcels: [] }
    for (const socket of [client, server]) {
      socket.setNoDelay(true)
      socket.on('error', () => {})
    }
    client.on('data', (chunk: Buffer) => this.#fromClient(chunk))
    server.on('data', (chunk: Buffer) => this.#fromServer(chunk))
    client.on('close', () => this.#clientLeft())
    server.on('close', () => this.destroy())
  }

  /** Ends it politely: with all that both sides had read before. */
  destroy(): void {
    this.#end(socket => socket.destroy())
  }

  reset(): void {
    this.#end(socket => socket.resetAndDestroy())
  }

  /** Toxics came or went: what may go on, goes on. @param late of what was on its way, in milliseconds */
  changed(late?: number): void {
    const now = performance.now()
    // A connection that is still being made is nothing that could be late.
    if (late !== undefined && this.role && this.#up.parcels.length > 0) this.#lateUntil = now + late
    for (const lane of [this.#up, this.#down]) {
      for (const parcel of lane.parcels) parcel.due = Math.min(parcel.due, now)
      this.#pump(lane)
    }
    if (this.#toxics.some(({ kind }) => kind === 'refuse')) this.reset()
  }

  get #toxics(): readonly Toxic[] {
    return this.#toxicsOf(this)
  }

  #fromClient(chunk: Buffer): void {
    for (const command of this.#commands.read(chunk)) {
      this.#learnRole(command)
      const loss = this.#toxics.find(toxic => toxic.kind === 'lose-writes')
      if (loss && isWrite(command)) {
        if (loss.how === 'unsent') {
          this.reset()
          return
        }
        if (loss.how === 'stalled') this.#stalled = true
        else this.#cutAtAnswer = true
      }
      this.#send(this.#up, command.bytes)
    }
  }

  #learnRole({ name }: RespCommand): void {
    if (this.role || HANDSHAKE.has(name)) return
    this.role = name.endsWith('SUBSCRIBE') ? 'subscriber' : 'commands'
    if (this.#toxics.some(({ kind }) => kind === 'refuse')) this.reset()
  }

  #fromServer(chunk: Buffer): void {
    const half = this.#toxics.find(toxic => toxic.kind === 'half-frame')
    if (this.#cutAtAnswer) this.reset()
    else if (half && !this.#stalled && chunk.length > 1) this.#sendHalf(chunk, half.behind)
    else this.#send(this.#down, chunk)
  }

  #sendHalf(chunk: Buffer, behind: 'reset' | 'stall'): void {
    this.#down.to.write(chunk.subarray(0, chunk.length >> 1), () => {
      if (behind === 'reset') this.reset()
    })
    this.#stalled = true
  }

  #send(lane: Lane, bytes: Buffer): void {
    const now = performance.now()
    let wait = 0
    let msPerByte = 0
    for (const toxic of this.#toxics) {
      if (toxic.kind === 'delay' && !(toxic.only && lane === this.#up)) wait += toxic.ms
      if (toxic.kind === 'bandwidth') msPerByte = Math.max(msPerByte, 1_000 / toxic.bytesPerSecond)
    }
    const due = Math.max(now + wait, lane.parcels.at(-1)?.due ?? 0) + bytes.length * msPerByte
    lane.parcels.push({ bytes, sentAt: now, due })
    this.#pump(lane)
  }

  #pump(lane: Lane): void {
    clearTimeout(lane.timer)
    const now = performance.now()
    for (;;) {
      const [parcel] = lane.parcels
      if (!parcel || this.#isHeld) break
      const due = lane === this.#up ? Math.max(parcel.due, this.#lateUntil ?? 0) : parcel.due
      if (due > now) {
        lane.timer = setTimeout(() => this.#pump(lane), due - now)
        return
      }
      lane.parcels.shift()
      lane.to.write(parcel.bytes)
    }
    // Behind what is still being written: the server closes when it has read that.
    if (this.#clientGone && lane === this.#up && lane.parcels.length === 0) lane.to.end()
  }

  get #isHeld(): boolean {
    return this.#stalled || this.#toxics.some(({ kind }) => kind === 'blackhole' || kind === 'late')
  }

  /** What it had sent is lost, but for what is bound to arrive late. */
  #clientLeft(): void {
    const late = this.#lateUntil !== undefined || this.#toxics.some(({ kind }) => kind === 'late')
    const { parcels } = this.#up
    const [first] = parcels
    if (late && first) {
      this.#clientGone = true
      const lost = parcels.findIndex(({ sentAt }) => sentAt > first.sentAt + FIRST_MS)
      if (lost > 0) parcels.length = lost
      this.#pump(this.#up)
    } else this.destroy()
  }

  #end(how: (socket: Socket) => void): void {
    for (const lane of [this.#up, this.#down]) {
      clearTimeout(lane.timer)
      lane.parcels.length = 0
      how(lane.to)
    }
    this.#onClose()
  }
}

/** A read that leaves a lease where nothing is counts as a read, which it is for whoever asks. */
function isWrite({ name, args }: RespCommand): boolean {
  if (HANDSHAKE.has(name) || READS.has(name) || name.endsWith('SUBSCRIBE')) return false
  return !(name === 'SET' && args.some(arg => arg.toUpperCase() === 'GET'))
}
