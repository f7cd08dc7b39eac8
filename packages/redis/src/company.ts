/** A connection that may wait for its next attempt. */
interface Member {
  on(event: 'ready', listener: () => void): unknown
  /** Connects now, if it waits. */
  hurry(): void
}

/**
 * Connections to the same server. As soon as one of them is made again after an outage, the others need not wait until it is
 * their turn: seconds, after a long one.
 */
export class Company<M extends Member> {
  readonly #members = new Set<M>()

  join(member: M): M {
    this.#members.add(member)
    member.on('ready', () => {
      for (const other of this.#members) other.hurry()
    })
    return member
  }
}
