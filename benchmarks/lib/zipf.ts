/** Skew of the built-in traffic: 0.99, as in YCSB (Cooper et al., SoCC 2010). */
const ZIPF_SKEW = 0.99

/** A generator of ranks, 0 to `count` - 1: rank r is drawn in proportion to 1 / (r + 1)^0.99. */
export function zipf(count: number, random: () => number): () => number {
  const cumulative = new Float64Array(count)
  let sum = 0
  for (let rank = 0; rank < count; rank++) {
    sum += (rank + 1) ** -ZIPF_SKEW
    cumulative[rank] = sum
  }
  return () => firstAbove(cumulative, random() * sum)
}

/** The index of the first element above `target` in a sorted array. */
function firstAbove(sorted: Float64Array, target: number): number {
  let low = 0
  let high = sorted.length - 1
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle] as number) > target) high = middle
    else low = middle + 1
  }
  return low
}
