import type { Awaitable, Clock, Store } from '@cache/core'
import type { Capability } from './capabilities.ts'

/** What a store is opened with. */
export interface OpenContext {
  /**
   * Where its entries are to lie: a prefix, a table, a directory. Letters, digits and hyphens. Another one for every case, in which
   * there is nothing yet; the same one again for a second process over the same data.
   */
  readonly space: string
  /** The time to go by, if `clock` is `'manual'`; the machine's otherwise. */
  readonly clock: Clock
}

/** A store to test. */
export interface StoreSubject {
  /** Makes a store, ready for use. Each case closes what it opened. */
  open(context: OpenContext): Awaitable<Store>
  /**
   * What the store offers. If it is said, that is tested too, and of other capabilities there are no cases. By default the cases
   * of what a store does not offer are skipped.
   */
  readonly capabilities?: readonly Capability[]
  /** `'manual'` for a store that takes a `clock`: then no case has to wait for time to pass. @default 'machine' */
  readonly clock?: 'manual' | 'machine'
  /** Whether two stores on one `space` share what they hold, as those of two processes do. @default false */
  readonly shared?: boolean
  /** How what is behind the store can fail. Without any the cases of faults are skipped. */
  readonly faults?: readonly Fault[]
  /** How long a case may take, in milliseconds: more than any deadline of the store. @default 30,000 */
  readonly limitMs?: number
}

/** A way to fail of what is behind a store. */
export interface Fault {
  /** What happens: `the server is frozen`. */
  readonly name: string
  /** Brings it about. */
  begin(context: OpenContext): Awaitable<void>
  /** Puts it right. Called once for every `begin`, also when a case failed. */
  end(context: OpenContext): Awaitable<void>
  /** How long a call may take meanwhile, in milliseconds. @default 5,000 */
  readonly boundMs?: number
  /** How long it may take until the store works again, in milliseconds. @default 10,000 */
  readonly recoveryMs?: number
}
