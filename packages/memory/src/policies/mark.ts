/**
 * What `WindowTinyLfu` has to know of an entry at a hit, in the bits of one word: its frequency; the ring it is in;
 * whether it was read since it came there; how sparse a sample of keys would still have it; and the epoch for which
 * the frequency was right.
 */
export type Mark = number

export const MAX_FREQUENCY = 15
const FREQUENCY = 15
const RING_SHIFT = 4
const RING = 3 << RING_SHIFT
const READ = 1 << 6
const SPARSITY_SHIFT = 7
/** The sparsest sample is one key in 2^15: of 15 million, some 500. */
export const MAX_SPARSITY = 15
const EPOCH_SHIFT = 11
const EPOCHS = 0x1f_ffff

/** The bits of a hash that tell in which samples a key is start here, above those of the ghosts' fingerprints. */
const SAMPLE_SHIFT = 12

/** For an entry in ring 0. */
export function newMark(hash: number, frequency: number, epoch: number): Mark {
  return frequency | (sparsity(hash) << SPARSITY_SHIFT) | (epoch << EPOCH_SHIFT)
}

/** After one more access. */
export function accessed(mark: Mark, epoch: number): Mark {
  const fresh = mark >>> EPOCH_SHIFT === epoch ? mark : renewed(mark, epoch)
  return ((fresh & FREQUENCY) === MAX_FREQUENCY ? fresh : fresh + 1) | READ
}

/** After a move to `ring`, where it was not read so far. */
export function movedTo(mark: Mark, ring: number): Mark {
  return (mark & ~(RING | READ)) | (ring << RING_SHIFT)
}

export function unread(mark: Mark): Mark {
  return mark & ~READ
}

export function isRead(mark: Mark): boolean {
  return (mark & READ) !== 0
}

export function ringOf(mark: Mark): number {
  return (mark & RING) >>> RING_SHIFT
}

/** The frequency in `epoch`: halved for each that has passed since. */
export function frequencyOf(mark: Mark, epoch: number): number {
  const passed = (epoch - (mark >>> EPOCH_SHIFT)) & EPOCHS
  return passed > 3 ? 0 : (mark & FREQUENCY) >>> passed
}

/** The key is in every sample of one key in 2^n for n up to this. */
export function sparsityOf(mark: Mark): number {
  return (mark >>> SPARSITY_SHIFT) & MAX_SPARSITY
}

/** As {@link sparsityOf}, for a key's hash. */
export function sparsity(hash: number): number {
  const bits = (hash >>> SAMPLE_SHIFT) | (1 << MAX_SPARSITY)
  return 31 - Math.clz32(bits & -bits)
}

export function nextEpoch(epoch: number): number {
  return (epoch + 1) & EPOCHS
}

function renewed(mark: Mark, epoch: number): Mark {
  return (
    (mark & (RING | READ | (MAX_SPARSITY << SPARSITY_SHIFT))) |
    (epoch << EPOCH_SHIFT) |
    frequencyOf(mark, epoch)
  )
}
